import type { Container } from '../../api/generated/types.ts'
import type { BoundPod } from '../pods/types.ts'

/** The message of an event about a resize: what the pod's containers are to have, as upstream writes it. */
export function resizeMessage(what: string, { spec }: BoundPod, generation: number, error?: string): string {
  const list = (containers: readonly Container[] = []) =>
    containers.length > 0
      ? containers.map(({ name, resources }) => ({ name, resources: ordered(resources) }))
      : undefined
  const summary = {
    initContainers: list(spec.initContainers),
    containers: list(spec.containers),
    generation,
    error: error || undefined,
  }
  return `${what}: ${JSON.stringify(summary)}`
}

function ordered({ limits, requests, claims }: NonNullable<Container['resources']> = {}) {
  const sorted = (amounts: Record<string, string> | undefined) =>
    amounts && Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)))
  return { limits: sorted(limits), requests: sorted(requests), claims }
}
