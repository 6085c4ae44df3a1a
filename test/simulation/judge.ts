import type { Binding, Node, Pod, PodDisruptionBudget, TopologySpreadConstraint } from '../../api/generated/types.ts'
import { quantityMilli, quantityValue } from '../../api/machinery/quantity.ts'
import { nodes, podDisruptionBudgets, pods } from '../../client/resources.ts'
import type { Api, Clock, Live, ResourceRef, WatchEvent } from '../../client/types.ts'
import { requestOf } from '../../scheduler/testing/model/resources.ts'
import { toleratesNode } from '../../scheduler/testing/model/selectors.ts'
import { Groups } from './groups.ts'

interface Amounts {
  milliCpu: number
  memoryBytes: number
  pods: number
}

interface NodeState {
  /** Undefined for one that is gone while pods are on it. */
  node: Live<Node> | undefined
  changedAt: number
  size: Amounts
  taken: Amounts
  pods: Set<string>
}

interface PodState {
  pod: Live<Pod>
  takes: Amounts
  /** Empty while it has none, and when it has ended. */
  nodeName: string
}

interface Waiting {
  since: number
  /** Since when there was a place at every look. */
  fitsSince: number | undefined
}

/** A pod that could have a place at every look for this long has been forgotten. */
const longestFittingMs = 30_000
const mostFaults = 20

/** Follows what happens to pods and nodes in the order of the history, and notes what must never be. */
export class Judge {
  readonly faults: string[] = []
  readonly counts = { bound: 0, ended: 0, evicted: 0, preempted: 0, mostWaiting: 0, longestFittingMs: 0 }
  readonly #clock: Clock
  readonly #nodes = new Map<string, NodeState>()
  readonly #pods = new Map<string, PodState>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #groups: Groups
  readonly #budgets = new Map<string, Live<PodDisruptionBudget>>()
  /** Where each pod was to be bound to, by uid. */
  readonly #bindings = new Map<string, string>()
  /** Grows with everything that is seen. */
  seen = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#groups = new Groups(clock)
  }

  get standing(): number {
    return this.#pods.size
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Follows the server until the signal fires. */
  async follow(api: Api, signal: AbortSignal): Promise<void> {
    const through = async <T>(ref: ResourceRef<T>, see: (event: WatchEvent<T>) => void) => {
      for await (const event of api.watch(ref, { signal })) {
        this.seen++
        see(event)
      }
    }
    await Promise.all([
      through(nodes, (event) => event.type !== 'BOOKMARK' && this.#seeNode(event.object, event.type === 'DELETED')),
      through(podDisruptionBudgets, (event) => {
        if (event.type !== 'BOOKMARK') this.#budgets.set(groupOf(event.object.metadata), event.object)
      }),
      through(pods, (event) => event.type !== 'BOOKMARK' && this.#seePod(event.object, event.type === 'DELETED')),
    ])
  }

  /** Somebody asks for a binding. The server refuses a second one; nobody should have asked for it. */
  seeBinding({ metadata, target }: Binding): void {
    const { uid = '', name } = metadata ?? {}
    const before = this.#bindings.get(uid)
    if (before !== undefined && before !== target.name)
      this.#note(`${name} was bound to ${before}, and then to ${target.name}`)
    this.#bindings.set(uid, target.name ?? '')
  }

  /** The pods that are on the node and stay there. */
  on(nodeName: string): { namespace: string | undefined; name: string }[] {
    return [...(this.#nodes.get(nodeName)?.pods ?? [])].flatMap((uid) => {
      const { namespace, name, deletionTimestamp } = (this.#pods.get(uid) as PodState).pod.metadata
      return deletionTimestamp === undefined ? [{ namespace, name }] : []
    })
  }

  /** Looks whether somebody waits who need not. To be asked every few seconds. */
  lookAtWaiting(): void {
    const now = this.#clock.now()
    this.counts.mostWaiting = Math.max(this.counts.mostWaiting, this.#waiting.size)
    const promised = new Map<number, Map<string, Amounts>>()
    for (const [uid, waiting] of this.#waiting) {
      const state = this.#pods.get(uid) as PodState
      if (now - waiting.since < longestFittingMs / 3) continue
      const priority = state.pod.spec?.priority ?? 0
      if (!promised.has(priority)) promised.set(priority, this.#promisedFrom(priority))
      const place = this.#placeFor(state, promised.get(priority) as Map<string, Amounts>)
      if (!place) {
        waiting.fitsSince = undefined
        continue
      }
      waiting.fitsSince ??= now
      const forMs = now - waiting.fitsSince
      this.counts.longestFittingMs = Math.max(this.counts.longestFittingMs, forMs)
      if (forMs <= longestFittingMs) continue
      this.#note(`${state.pod.metadata.name} waits for ${(now - waiting.since) / 1000} s, and fits on ${place}`)
      waiting.fitsSince = undefined
    }
  }

  #note(fault: string): void {
    const at = (this.#clock.now() - Date.parse('2026-01-01T00:00:00Z')) / 1000
    if (this.faults.length < mostFaults) this.faults.push(`after ${at} s: ${fault}`)
  }

  #seeNode(node: Live<Node>, isGone: boolean): void {
    const { name } = node.metadata
    const state = this.#nodeOf(name)
    this.#groups.setNode(name, isGone ? undefined : node.metadata.labels)
    state.node = isGone ? undefined : node
    state.changedAt = this.#clock.now()
    const { cpu = '0', memory = '0', pods = '0' } = node.status?.allocatable ?? {}
    state.size = { milliCpu: quantityMilli(cpu), memoryBytes: quantityValue(memory), pods: Number(pods) }
    if (isGone && state.taken.pods === 0) this.#nodes.delete(name)
  }

  #seePod(pod: Live<Pod>, isGone: boolean): void {
    const { uid = '', deletionTimestamp } = pod.metadata
    const before = this.#pods.get(uid)
    const isEnded = isGone || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    const named = pod.spec?.nodeName ?? ''
    const after: PodState = { pod, takes: before?.takes ?? takenBy(pod), nodeName: isEnded ? '' : named }
    if (before?.nodeName && named !== before.nodeName)
      this.#note(`${pod.metadata.name} was on ${before.nodeName}, and then on ${named}`)
    if (before && before.pod.metadata.deletionTimestamp === undefined && deletionTimestamp !== undefined && !isEnded)
      this.#seeDisrupted(before.pod, pod)
    if (!before?.nodeName && after.nodeName) this.#seeBound(after)
    if (before?.nodeName && isEnded) this.#leave(before)
    this.#groups.setPod(groupOf(pod.metadata), pod, isEnded)
    if (isGone) {
      this.#pods.delete(uid)
      this.#bindings.delete(uid)
    } else this.#pods.set(uid, after)
    if (isEnded || named !== '' || deletionTimestamp !== undefined) this.#waiting.delete(uid)
    else if (!before) this.#waiting.set(uid, { since: this.#clock.now(), fitsSince: undefined })
    if (isEnded && before?.nodeName) this.counts.ended++
  }

  #seeBound({ pod, takes, nodeName }: PodState): void {
    const { metadata } = pod
    const state = this.#nodeOf(nodeName)
    this.counts.bound++
    const why = state.node ? this.#whyNot(pod, takes, state) : 'there is no such node'
    add(state.taken, takes, 1)
    state.pods.add(metadata.uid ?? '')
    if (why) this.#note(`${metadata.name} was bound to ${nodeName}: ${why}`)
  }

  #leave({ pod, nodeName, takes }: PodState): void {
    const state = this.#nodeOf(nodeName)
    add(state.taken, takes, -1)
    state.pods.delete(pod.metadata.uid ?? '')
    if (!state.node && state.taken.pods === 0) this.#nodes.delete(nodeName)
  }

  /** Somebody has asked it to leave: whoever has a budget must have enough without it. */
  #seeDisrupted(before: Live<Pod>, after: Live<Pod>): void {
    const reason = after.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.reason
    if (reason === 'EvictionByEvictionAPI') this.counts.evicted++
    else if (reason === 'PreemptionByScheduler') this.counts.preempted++
    else return
    const group = groupOf(after.metadata)
    const budget = this.#budgets.get(group)
    if (!budget || !isReady(before)) return
    const left = this.#groups.readyIn(group) - 1
    const least = Number(budget.spec?.minAvailable)
    if (left < least) this.#note(`${after.metadata.name} left (${reason}): ${left} are ready, ${least} must be`)
  }

  /** Why the pod must not be there, in its own right or beside those that are. */
  #whyNot(pod: Live<Pod>, takes: Amounts, { node, changedAt, size, taken }: NodeState): string | undefined {
    if (!node) return 'there is no such node'
    const amount = lacking(size, taken, takes)
    if (amount) return `${taken[amount] + takes[amount]} ${amount} of ${size[amount]}`
    // Of what has changed at this very moment nobody can say who saw it first.
    const isSettled = changedAt < this.#clock.now()
    if (isSettled && node.spec?.unschedulable) return 'it is cordoned'
    if (isSettled && !toleratesNode(pod, node)) return 'it has a taint'
    for (const constraint of pod.spec?.topologySpreadConstraints ?? []) {
      const skew = this.#skewWith(pod, node, constraint)
      if (skew > constraint.maxSkew) return `${constraint.topologyKey} has a skew of ${skew}`
    }
    return undefined
  }

  #skewWith({ metadata }: Live<Pod>, node: Live<Node>, { topologyKey }: TopologySpreadConstraint): number {
    const domain = node.metadata.labels?.[topologyKey] ?? ''
    return this.#groups.skewWithOneMore(groupOf(metadata), topologyKey, domain)
  }

  /** A node where it could be, beside those that are there and those that have been promised a place. */
  #placeFor({ pod, takes }: PodState, promised: ReadonlyMap<string, Amounts>): string | undefined {
    for (const [name, state] of this.#nodes) {
      const taken = { ...state.taken }
      const others = promised.get(name)
      if (others) add(taken, others, 1)
      // Its own promise is none to itself.
      if (pod.status?.nominatedNodeName === name) add(taken, takes, -1)
      if (lacking(state.size, taken, takes)) continue
      if (!this.#whyNot(pod, takes, { ...state, taken })) return name
    }
    return undefined
  }

  /** What those that matter as much, or more, have been promised by preemption. */
  #promisedFrom(priority: number): Map<string, Amounts> {
    const promised = new Map<string, Amounts>()
    for (const uid of this.#waiting.keys()) {
      const { pod, takes } = this.#pods.get(uid) as PodState
      const nodeName = pod.status?.nominatedNodeName
      if (!nodeName || (pod.spec?.priority ?? 0) < priority) continue
      const sum = promised.get(nodeName) ?? nothing()
      add(sum, takes, 1)
      promised.set(nodeName, sum)
    }
    return promised
  }

  #nodeOf(name: string): NodeState {
    let state = this.#nodes.get(name)
    if (!state) {
      state = { node: undefined, changedAt: 0, size: nothing(), taken: nothing(), pods: new Set() }
      this.#nodes.set(name, state)
    }
    return state
  }
}

/** Those that a deployment, its spread and its budget select: in this day all go by one label. */
export const groupOf = ({ namespace, labels }: { namespace?: string; labels?: Record<string, string> }): string =>
  `${namespace}/${labels?.app ?? ''}`

export const isReady = ({ metadata, status }: Live<Pod>): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false)

const nothing = (): Amounts => ({ milliCpu: 0, memoryBytes: 0, pods: 0 })

const takenBy = (pod: Live<Pod>): Amounts => ({
  milliCpu: requestOf(pod, 'cpu'),
  memoryBytes: requestOf(pod, 'memory'),
  pods: 1,
})

/** Of what there would be too little. */
const lacking = (size: Amounts, taken: Amounts, takes: Amounts): keyof Amounts | undefined =>
  amounts.find((amount) => taken[amount] + takes[amount] > size[amount])

const amounts = ['milliCpu', 'memoryBytes', 'pods'] as const

function add(to: Amounts, amounts: Amounts, sign: 1 | -1): void {
  to.milliCpu += sign * amounts.milliCpu
  to.memoryBytes += sign * amounts.memoryBytes
  to.pods += sign * amounts.pods
}
