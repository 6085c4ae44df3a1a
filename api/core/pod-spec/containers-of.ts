import type { Container, EphemeralContainer, PodSpec } from '../../generated/types.ts'

/**
 * Calls `visit` for every container with its path: init containers, then regular ones, then ephemeral ones. An
 * ephemeral container has every field of a container that visitors look at.
 */
export function visitContainers(
  spec: PodSpec,
  path: string,
  visit: (container: Container | EphemeralContainer, path: string) => void,
): void {
  const { initContainers, containers, ephemeralContainers } = spec
  if (initContainers) {
    for (let i = 0; i < initContainers.length; i++) visit(initContainers[i]!, `${path}.initContainers[${i}]`)
  }
  if (containers) for (let i = 0; i < containers.length; i++) visit(containers[i]!, `${path}.containers[${i}]`)
  if (ephemeralContainers) {
    for (let i = 0; i < ephemeralContainers.length; i++)
      visit(ephemeralContainers[i]!, `${path}.ephemeralContainers[${i}]`)
  }
}

/** An init container that keeps running beside the others. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

export function hasContainer(spec: PodSpec, name: string): boolean {
  return (
    (spec.containers ?? []).some((container) => container.name === name) ||
    (spec.initContainers ?? []).some((container) => container.name === name) ||
    (spec.ephemeralContainers ?? []).some((container) => container.name === name)
  )
}
