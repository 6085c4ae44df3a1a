import type { Container, Pod, PodSpec, ResourceRequirements } from '../generated/types.ts'
import { type FieldError, forbidden, invalid } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { computePodQOS, podQOS } from './pod-qos.ts'
import { mirrorAnnotation } from './pod-spec/annotations.ts'
import { isSidecar } from './pod-spec/containers-of.ts'
import type { ResourceList } from './pod-spec/resource-lists.ts'
import { podValidationOptions } from './pod-spec/tolerance.ts'
import { validatePodContent } from './pod-validation.ts'

/** A write to the resize subresource: amounts of CPU and memory change, nothing else. */
export function validatePodResize(pod: Stored<Pod>, old: Stored<Pod>): FieldError[] {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return [forbidden('', 'static pods cannot be resized')]
  }
  const spec = pod.spec as PodSpec
  const oldSpec = old.spec as PodSpec
  if (oldSpec.os?.name === 'windows') return [forbidden('', 'windows pods cannot be resized')]
  const errors: FieldError[] = []
  validatePodContent(errors, pod, podValidationOptions(true, old))
  if (podQOS(old) !== computePodQOS(spec)) {
    errors.push(invalid('spec', pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'))
  }
  const running = old.status?.containerStatuses?.find(({ state }) => state?.running)
  if (running && !running.resources) {
    errors.push(forbidden('spec', 'Pod running on node without support for resize'))
  }
  validatePodLevel(errors, spec, oldSpec)
  const orderFaults = orderingFaults(spec, oldSpec)
  if (orderFaults.length > 0) return [...errors, ...orderFaults]

  for (const list of ['initContainers', 'containers'] as const) {
    for (const [i, before] of (oldSpec[list] ?? []).entries()) {
      validateContainer(errors, spec[list]![i]!, before, `spec.${list}[${i}]`, list === 'initContainers')
    }
  }
  if (errors.length > 0) return errors
  const rest = {
    ...spec,
    containers: oldSpec.containers,
    initContainers: oldSpec.initContainers,
    resources: oldSpec.resources,
  }
  return semanticEqual(rest, oldSpec) ? [] : [forbidden('spec', 'only cpu and memory resources are mutable')]
}

function validatePodLevel(errors: FieldError[], { resources }: PodSpec, { resources: old }: PodSpec): void {
  if (old && !resources) {
    errors.push(forbidden('spec.resources', 'pod-level resources cannot be removed'))
    return
  }
  for (const list of ['requests', 'limits'] as const) {
    if (old && hasLess(resources?.[list], old[list])) {
      errors.push(forbidden(`spec.resources.${list}`, `pod-level resource ${list} cannot be removed`))
    }
  }
  if (!sameButComputeAmounts(resources, old)) {
    errors.push(forbidden('spec', 'only cpu and memory resources are mutable at pod-level'))
  }
}

function orderingFaults(spec: PodSpec, old: PodSpec): FieldError[] {
  const errors: FieldError[] = []
  for (const list of ['containers', 'initContainers'] as const) {
    const now = spec[list] ?? []
    const before = old[list] ?? []
    if (now.length !== before.length) {
      errors.push(forbidden(`spec.${list}`, `${list} may not be added or removed on resize`))
      continue
    }
    for (const [i, { name }] of before.entries()) {
      if (now[i]!.name !== name) {
        errors.push(forbidden(`spec.${list}[${i}].name`, `${list} may not be renamed or reordered on resize`))
      }
    }
  }
  return errors
}

function validateContainer(
  errors: FieldError[],
  container: Container,
  old: Container,
  path: string,
  isInit: boolean,
): void {
  for (const list of ['requests', 'limits'] as const) {
    if (hasLess(container.resources?.[list], old.resources?.[list])) {
      errors.push(forbidden(`${path}.resources.${list}`, `resource ${list} cannot be removed`))
    }
  }
  const { resources, ...rest } = container
  const { resources: oldResources, ...oldRest } = old
  const changed = !semanticEqual(container, old)
  if (!semanticEqual(rest, oldRest) || !sameButComputeAmounts(resources, oldResources)) {
    errors.push(
      isInit
        ? forbidden(path, 'only cpu and memory resources for init or sidecar containers are mutable')
        : forbidden('spec', 'only cpu and memory resources are mutable'),
    )
  }
  if (!isInit || !changed || isSidecar(container)) return
  for (const { restartPolicy } of container.resizePolicy ?? []) {
    if (restartPolicy !== 'RestartContainer') continue
    errors.push(
      forbidden(path, 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized'),
    )
  }
}

const hasLess = (list: ResourceList = {}, old: ResourceList = {}): boolean =>
  Object.keys(old).some((name) => list[name] === undefined)

function sameButComputeAmounts(
  { requests, limits, claims }: ResourceRequirements = {},
  old: ResourceRequirements = {},
): boolean {
  const others = ({ cpu: _c, memory: _m, ...rest }: ResourceList = {}) => rest
  return (
    semanticEqual(others(requests), others(old.requests)) &&
    semanticEqual(others(limits), others(old.limits)) &&
    semanticEqual(claims, old.claims)
  )
}
