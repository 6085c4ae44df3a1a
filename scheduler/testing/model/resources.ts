import type { Container, Node, Pod } from '../../../api/generated/types.ts'
import { quantityMilli, quantityValue } from '../../../api/machinery/quantity.ts'
import type { Live } from '../../../client/types.ts'
import { type ModelCluster, podsOn } from './cluster.ts'

type Amounts = Record<string, number>

const scoredDefaults: Amounts = { cpu: 100, memory: 200 * 1024 * 1024 }
const scored = ['cpu', 'memory'] as const

/** What a pod takes of one resource, cpu in thousandths; `defaults` stand in for what a container leaves out. */
export const requestOf = (pod: Live<Pod>, resource: string, defaults: Amounts = {}): number =>
  askedOf(pod, resource, defaults) ?? 0

/** Undefined where nothing in the pod says anything about the resource. */
function askedOf({ spec, status }: Live<Pod>, resource: string, defaults: Amounts): number | undefined {
  const amount = (quantities: Record<string, string> | undefined) => {
    const quantity = quantities?.[resource]
    if (quantity === undefined) return undefined
    return resource === 'cpu' ? quantityMilli(quantity) : quantityValue(quantity)
  }
  const infeasible = status?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason === 'Infeasible'
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
  const held = (container: Container) => {
    const wanted = amount(container.resources?.requests)
    const reported = statuses.find(({ name }) => name === container.name)
    if (!reported?.resources) return wanted
    const known = [amount(reported.resources.requests), amount(reported.allocatedResources)]
    const all = [...known, ...(infeasible ? [] : [wanted])].filter((each) => each !== undefined)
    return all.length > 0 ? Math.max(...all) : undefined
  }
  const missing = defaults[resource]
  const isSidecar = ({ restartPolicy }: Container) => restartPolicy === 'Always'
  const first = spec?.initContainers ?? []
  const running = [...(spec?.containers ?? []), ...first.filter(isSidecar)]
  const steady = total(running.map((container) => held(container) ?? missing))
  const starting = first.map((container, i) => {
    const beside = first
      .slice(0, i)
      .filter(isSidecar)
      .map((each) => held(each) ?? missing)
    return total([
      ...beside,
      (isSidecar(container) ? held(container) : amount(container.resources?.requests)) ?? missing,
    ])
  })
  const forPod = resource === 'ephemeral-storage' || resource.includes('/') ? undefined : spec?.resources?.requests
  const most = [steady, ...starting].filter((each) => each !== undefined)
  const needed = amount(forPod) ?? (most.length > 0 ? Math.max(...most) : undefined)
  return total([needed, amount(spec?.overhead)])
}

function total(amounts: readonly (number | undefined)[]): number | undefined {
  const given = amounts.filter((each) => each !== undefined)
  return given.length > 0 ? given.reduce((sum, each) => sum + each, 0) : undefined
}

function resourcesOf({ spec, status }: Live<Pod>): string[] {
  const { containers = [], initContainers = [], overhead, resources } = spec ?? {}
  const held = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
  const lists = [...containers, ...initContainers, ...held].map((each) => each.resources?.requests)
  return [...new Set([...lists, overhead, resources?.requests].flatMap((list) => Object.keys(list ?? {})))]
}

const allocatable = ({ status }: Live<Node>, resource: string): number => {
  const quantity = status?.allocatable?.[resource] ?? '0'
  return resource === 'cpu' ? quantityMilli(quantity) : quantityValue(quantity)
}

/** Whether the node has a place left, and enough of everything the pod requests. */
export function hasRoom(pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): boolean {
  const there = podsOn(cluster, node)
  if (there.length + 1 > allocatable(node, 'pods')) return false
  return resourcesOf(pod).every((resource) => {
    const wanted = requestOf(pod, resource)
    const taken = there.reduce((sum, other) => sum + requestOf(other, resource), 0)
    return wanted === 0 || wanted + taken <= allocatable(node, resource)
  })
}

/** The share that is left of cpu and memory with the pod on the node, in percent. */
export function leastAllocated(pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): number {
  const shares = scored.flatMap((resource) => {
    const has = allocatable(node, resource)
    if (has === 0) return []
    const taken = podsOn(cluster, node).reduce((sum, other) => sum + countedFor(other, resource), 0)
    const all = taken + requestOf(pod, resource, scoredDefaults)
    return [all > has ? 0 : Math.trunc(((has - all) * 100) / has)]
  })
  return shares.length === 0 ? 0 : Math.trunc(shares.reduce((sum, share) => sum + share, 0) / shares.length)
}

/** What a pod on a node counts for: with requests for the pod as a whole, only what nobody asks for is made up. */
function countedFor(pod: Live<Pod>, resource: string): number {
  const forPod = Object.keys(pod.spec?.resources?.requests ?? {})
  const isWhole = forPod.some((name) => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-'))
  const isAsked = askedOf(pod, resource, {}) !== undefined
  return requestOf(pod, resource, isWhole && isAsked ? {} : scoredDefaults)
}

/** How much more evenly cpu and memory are used with the pod than without; undefined for a pod that asks for neither. */
export function balanced(pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): number | undefined {
  if (scored.every((resource) => requestOf(pod, resource) === 0)) return undefined
  const balance = (with_: boolean) => {
    const fractions = scored.flatMap((resource) => {
      const has = allocatable(node, resource)
      if (has === 0) return []
      const taken = podsOn(cluster, node).reduce((sum, other) => sum + requestOf(other, resource), 0)
      return [Math.min((taken + (with_ ? requestOf(pod, resource) : 0)) / has, 1)]
    })
    const [a, b] = fractions
    return Math.trunc((1 - (a === undefined || b === undefined ? 0 : Math.abs(a - b) / 2)) * 100)
  }
  return 50 + Math.trunc((50 + balance(true) - balance(false)) / 2)
}
