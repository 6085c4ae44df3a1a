import type { Container, ContainerStatus, Pod, PodSpec, Quantity } from '../../api/generated/types.ts'
import { quantityMilli, quantityValue } from '../../api/machinery/quantity.ts'
import type { Live } from '../../client/types.ts'

/** What a pod takes of a node. */
export interface Requests {
  readonly milliCpu: number
  readonly memoryBytes: number
  readonly storageBytes: number
  /** Extended resources, huge pages and the like, each with its amount in whole units. */
  readonly scalars: readonly (readonly [name: string, amount: number])[]
  /** For scoring, a container that asks for nothing counts as asking for a little: upstream's 0.1 CPU and 200 Mi. */
  readonly scoredMilliCpu: number
  readonly scoredMemoryBytes: number
  /** The same while the pod has no node: upstream then makes up for every container, whatever the pod asks as a whole. */
  readonly wantedMilliCpu: number
  readonly wantedMemoryBytes: number
}

type Amounts = Map<string, number>
type Quantities = Record<string, Quantity> | undefined

const madeUp: ReadonlyMap<string, number> = new Map([
  ['cpu', 100],
  ['memory', 200 * 1024 * 1024],
])

/**
 * What upstream's scheduler takes a pod to request: containers and sidecars together, or the most that any init
 * container needs beside the sidecars started before it, whichever is more; pod-level requests take their place;
 * overhead comes on top. A container being resized in place counts with the most of what it has and what it wants.
 */
export function podRequests(pod: Live<Pod>): Requests {
  const { containers, initContainers, overhead, resources } = pod.spec ?? {}
  const isResized = pod.status?.containerStatuses ?? pod.status?.initContainerStatuses
  if (!containers || isResized) return workedOut(pod)
  const known = ofTemplate.get(containers)
  const isKnown = known && known.initContainers === initContainers && known.overhead === overhead
  if (isKnown && known.resources === resources) return known.requests
  const requests = workedOut(pod)
  ofTemplate.set(containers, { initContainers, overhead, resources, requests })
  return requests
}

/** Pods of one template share what they have alike, once they are trimmed: it is worked out once. */
const ofTemplate = new WeakMap<readonly Container[], Template>()

interface Template {
  readonly initContainers: PodSpec['initContainers']
  readonly overhead: PodSpec['overhead']
  readonly resources: PodSpec['resources']
  readonly requests: Requests
}

function workedOut(pod: Live<Pod>): Requests {
  const amounts = total(pod, new Map())
  const wanted = total(pod, madeUp)
  const isWhole = podLevelRequests(pod).size > 0
  const missing = new Map([...madeUp].filter(([name]) => !amounts.has(name)))
  const scored = isWhole ? total(pod, missing) : wanted
  return {
    milliCpu: amounts.get('cpu') ?? 0,
    memoryBytes: amounts.get('memory') ?? 0,
    storageBytes: amounts.get('ephemeral-storage') ?? 0,
    scalars: [...amounts].filter(([name]) => isScalarResource(name)),
    scoredMilliCpu: scored.get('cpu') ?? 0,
    scoredMemoryBytes: scored.get('memory') ?? 0,
    wantedMilliCpu: wanted.get('cpu') ?? 0,
    wantedMemoryBytes: wanted.get('memory') ?? 0,
  }
}

/** Names outside the short list that every node has: huge pages, attachable volumes, anything with a domain. */
export function isScalarResource(name: string): boolean {
  return name.startsWith('hugepages-') || name.startsWith('attachable-volumes-') || name.includes('/')
}

/** The number of a quantity: thousandths for cpu, whole units for all else. */
export function amountOf(name: string, quantity: Quantity): number {
  return name === 'cpu' ? quantityMilli(quantity) : quantityValue(quantity)
}

/** The sum over the pod; `missing` stands in for what a container leaves out. */
function total(pod: Live<Pod>, missing: ReadonlyMap<string, number>): Amounts {
  const spec = pod.spec
  const sum: Amounts = new Map()
  if (!spec) return sum
  const statuses = new Map<string, ContainerStatus>()
  for (const status of pod.status?.containerStatuses ?? []) statuses.set(status.name, status)
  for (const status of pod.status?.initContainerStatuses ?? []) statuses.set(status.name, status)
  const infeasible = pod.status?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason === 'Infeasible'
  const requestsOf = (container: Container) =>
    withMissing(containerRequests(container, statuses.get(container.name), infeasible), missing)

  for (const container of spec.containers) addTo(sum, requestsOf(container))
  const sidecars: Amounts = new Map()
  const atStart: Amounts = new Map()
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      const requests = requestsOf(container)
      addTo(sum, requests)
      addTo(sidecars, requests)
      raiseTo(atStart, sidecars)
    } else {
      const requests = withMissing(amountsOf(container.resources?.requests), missing)
      addTo(requests, sidecars)
      raiseTo(atStart, requests)
    }
  }
  raiseTo(sum, atStart)
  for (const [name, amount] of podLevelRequests(pod)) sum.set(name, amount)
  addTo(sum, amountsOf(spec.overhead))
  return sum
}

function containerRequests(container: Container, status: ContainerStatus | undefined, infeasible: boolean): Amounts {
  const wanted = amountsOf(container.resources?.requests)
  if (!status?.resources) return wanted
  const held = amountsOf(status.resources.requests)
  raiseTo(held, amountsOf(status.allocatedResources))
  if (!infeasible) raiseTo(held, wanted)
  return held
}

function podLevelRequests(pod: Live<Pod>): Amounts {
  const amounts = amountsOf(pod.spec?.resources?.requests)
  for (const name of amounts.keys()) {
    if (name !== 'cpu' && name !== 'memory' && !name.startsWith('hugepages-')) amounts.delete(name)
  }
  return amounts
}

function amountsOf(quantities: Quantities): Amounts {
  const amounts: Amounts = new Map()
  for (const name in quantities) amounts.set(name, amountOf(name, quantities[name] as Quantity))
  return amounts
}

function withMissing(amounts: Amounts, missing: ReadonlyMap<string, number>): Amounts {
  for (const [name, amount] of missing) if (!amounts.has(name)) amounts.set(name, amount)
  return amounts
}

function addTo(sum: Amounts, more: Amounts): void {
  for (const [name, amount] of more) sum.set(name, (sum.get(name) ?? 0) + amount)
}

function raiseTo(least: Amounts, other: Amounts): void {
  for (const [name, amount] of other) least.set(name, Math.max(least.get(name) ?? 0, amount))
}
