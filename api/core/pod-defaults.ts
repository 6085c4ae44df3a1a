import type { Container, Pod, ResourceRequirements } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'
import { defaultPodSpec } from './pod-spec/defaults.ts'
import { aggregateContainers, isPodLevelResource } from './pod-spec/resource-lists.ts'
import { isHugePages, isOvercommitAllowed } from './resource-names.ts'

/** Defaults of a pod. Templates get those of the spec only: what is filled in here would show as a change of theirs. */
export function defaultPod(pod: Stored<Pod>): void {
  pod.spec ??= { containers: [] }
  const { spec } = pod
  defaultPodSpec(spec)
  if (spec.containers) for (const container of spec.containers) requestLimits(container)
  if (spec.initContainers) for (const container of spec.initContainers) requestLimits(container)
  if (spec.resources) defaultPodLevelResources(pod, spec.resources)
  spec.enableServiceLinks ??= true
  if (spec.hostNetwork) {
    for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
      for (const port of container.ports ?? []) if (!port.hostPort) port.hostPort = port.containerPort
    }
  }
  if ((spec.terminationGracePeriodSeconds as number) < 0) spec.terminationGracePeriodSeconds = 1
  if (pod.status) defaultPodIPs(pod.status)
}

/** A limit without a request is asked for in full. */
function requestLimits({ resources }: Container): void {
  const limits = resources?.limits
  if (!limits) return
  resources.requests ??= {}
  const { requests } = resources
  for (const name in limits) requests[name] ??= limits[name] as string
}

function defaultPodLevelResources(pod: Stored<Pod>, resources: ResourceRequirements): void {
  const spec = pod.spec!
  const has = (list: Record<string, string> | undefined) => list !== undefined && Object.keys(list).length > 0
  if (has(resources.limits) || has(resources.requests)) {
    for (const [name, amount] of Object.entries(aggregateContainers(spec, 'limits'))) {
      if (!isHugePages(name) || resources.requests?.[name] !== undefined) continue
      resources.limits ??= {}
      resources.limits[name] ??= amount
    }
  }
  if (!has(resources.limits)) return
  const requests = resources.requests ?? {}
  for (const [name, amount] of Object.entries(aggregateContainers(spec, 'requests'))) {
    if (isPodLevelResource(name) && isOvercommitAllowed(name)) requests[name] ??= amount
  }
  for (const [name, amount] of Object.entries(resources.limits ?? {})) {
    if (isPodLevelResource(name)) requests[name] ??= amount
  }
  if (has(requests)) resources.requests = requests
}

/** podIP is the first of podIPs. Where they differ, podIP rules: it is what older nodes write. */
function defaultPodIPs(status: NonNullable<Pod['status']>): void {
  const first = status.podIPs?.[0]?.ip
  if (status.podIP) {
    if (first !== status.podIP) status.podIPs = [{ ip: status.podIP }]
  } else if (first) status.podIP = first
}
