import type { Clock } from '../../client/types.ts'
import { type ClusterEvent, eventLabel, podChanges } from '../framework/cluster-events.ts'
import type { EventObjects, Hint, QueuePlugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { Heap } from './heap.ts'
import { Nominations } from './nominations.ts'
import { newQueuedPod, type QueuedPod } from './queued-pod.ts'

export type QueueName = 'active' | 'backoff' | 'unschedulable' | 'gated'

export interface SchedulingQueueOptions {
  clock: Clock
  /** The plugins of each profile, by the schedulerName that pods ask for it with. All sort alike. */
  profiles: ReadonlyMap<string, readonly QueuePlugin[]>
  nominations?: Nominations
  initialBackoffMs?: number
  maxBackoffMs?: number
  /** After this long a refused pod is tried again without any event. */
  maxUnschedulableMs?: number
  /** Told of every pod that enters a queue, and for which cause. */
  onIncoming?: (queue: 'active' | 'backoff' | 'unschedulable', cause: string) => void
}

/** Times of back-off are rounded to windows, within which pods keep the order of the active queue. */
const windowMs = 1000
const flushEveryMs = 30_000

/**
 * The pods that wait for a node. Active ones are tried in order of priority. A refused one rests until something happens
 * that may change the mind of a plugin that refused it, backs off (1 s, doubling to 10 s), and is active again. When
 * nothing is active, the first of those that back off is tried early: the scheduler has nothing better to do.
 */
export class SchedulingQueue {
  readonly nominations: Nominations
  readonly #clock: Clock
  readonly #profiles: ReadonlyMap<string, QueueProfile>
  readonly #initialBackoffMs: number
  readonly #maxBackoffMs: number
  readonly #maxUnschedulableMs: number
  readonly #onIncoming: NonNullable<SchedulingQueueOptions['onIncoming']>
  readonly #active: Heap<QueuedPod>
  readonly #backoff: Heap<QueuedPod>
  /** Those that failed for no fault of theirs: never tried early. */
  readonly #errorBackoff: Heap<QueuedPod>
  readonly #unschedulable = new Map<string, QueuedPod>()
  /** Every pod that is in one of the above. */
  readonly #queued = new Map<string, QueuedPod>()
  /** The unschedulable pods by the plugins that refused them, so that an event need not visit all. */
  readonly #byRejector = new Map<string, Set<QueuedPod>>()
  #wake: (() => void) | undefined
  #happenings = 0

  constructor(options: SchedulingQueueOptions) {
    const { clock, profiles, nominations, initialBackoffMs, maxBackoffMs, maxUnschedulableMs, onIncoming } = options
    this.nominations = nominations ?? new Nominations()
    this.#clock = clock
    this.#profiles = new Map([...profiles].map(([name, plugins]) => [name, queueProfile(plugins)]))
    this.#initialBackoffMs = initialBackoffMs ?? 1000
    this.#maxBackoffMs = maxBackoffMs ?? 10_000
    this.#maxUnschedulableMs = maxUnschedulableMs ?? 5 * 60_000
    this.#onIncoming = onIncoming ?? (() => {})
    const inOrder = [...profiles.values()].flat().find(({ queueSort }) => queueSort)?.queueSort
    if (!inOrder) throw new Error('no plugin sorts the queue')
    this.#active = new Heap(inOrder)
    this.#backoff = new Heap((a, b) => a.backoffUntil - b.backoffUntil || inOrder(a, b))
    this.#errorBackoff = new Heap((a, b) => a.backoffUntil - b.backoffUntil)
  }

  sizes(): Record<QueueName, number> {
    let gated = 0
    for (const { gate } of this.#unschedulable.values()) if (gate !== undefined) gated++
    return {
      active: this.#active.size,
      backoff: this.#backoff.size + this.#errorBackoff.size,
      unschedulable: this.#unschedulable.size - gated,
      gated,
    }
  }

  /** How many pods each plugin has refused that are waiting for it to change its mind. */
  rejected(): { plugin: string; profile: string; pods: number }[] {
    return [...this.#byRejector].flatMap(([plugin, pods]) =>
      [...this.#profiles.keys()].map((profile) => ({
        plugin,
        profile,
        pods: [...pods].filter(({ pod }) => pod.schedulerName === profile).length,
      })),
    )
  }

  has(uid: string): boolean {
    return this.#queued.has(uid)
  }

  /** A pod that is new. */
  add(pod: PodInfo): void {
    if (this.#queued.has(pod.uid)) {
      this.update(pod, pod)
      return
    }
    this.nominations.set(pod, pod.nominatedNodeName)
    this.#activate(newQueuedPod(pod, this.#clock.now()), 'UnscheduledPodAdd')
  }

  /** A waiting pod has changed. What was refused is tried again only if the change may have helped it. */
  update(before: PodInfo, after: PodInfo): void {
    const queued = this.#queued.get(after.uid)
    if (!queued) return
    const nominated = this.nominations.nodeOf(after.uid)
    if (after.nominatedNodeName !== before.nominatedNodeName) this.nominations.set(after, after.nominatedNodeName)
    else if (nominated !== '') this.nominations.set(after, nominated)
    queued.pod = after
    this.#active.moved(queued)
    this.#backoff.moved(queued)
    if (!this.#unschedulable.has(after.uid)) return
    const helped = podChanges(before, after).some((event) =>
      this.#isWorthATry(queued, event, { pod: { before, after } }),
    )
    if (helped) this.#requeue(queued, 'UnscheduledPodUpdate')
  }

  delete(uid: string): void {
    this.nominations.delete(uid)
    const queued = this.#queued.get(uid)
    if (queued) this.#take(queued)
  }

  /** The next pod to be tried; undefined when there is none for now. It is in the queue no more. */
  next(): QueuedPod | undefined {
    this.flush()
    const queued = this.#active.peek() ?? this.#backoff.peek()
    if (!queued) return undefined
    this.#take(queued)
    queued.attempts++
    queued.firstTriedAt ??= this.#clock.now()
    queued.backoffUntil = 0
    return queued
  }

  /** Resolves as soon as there may be a pod to be tried, or when the signal fires. */
  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#active.size > 0 || this.#backoff.size > 0) return
    const until = new AbortController()
    const woken = new Promise<void>((wake) => {
      this.#wake = wake
    })
    const end = () => this.#wake?.()
    signal.addEventListener('abort', end, { once: true })
    // Time passing may make a pod ready as well.
    const slept = this.#clock.sleep(this.#sleepMs(), until.signal).catch(() => {})
    await Promise.race([woken, slept])
    until.abort()
    signal.removeEventListener('abort', end)
    this.#wake = undefined
  }

  /**
   * A pod comes back from a try that failed. `rejectors` are the plugins that refused it; none means that the failure was
   * not the pod's, and that it is tried again whatever happens.
   */
  giveBack(queued: QueuedPod, refused: { rejectors: ReadonlySet<string>; pending: ReadonlySet<string> }): void {
    if (this.#queued.has(queued.pod.uid)) return
    queued.rejectors = refused.rejectors
    queued.pending = refused.pending
    queued.queuedAt = this.#clock.now()
    queued.flushed = false
    const isRefused = refused.rejectors.size > 0 || refused.pending.size > 0
    if (isRefused) {
      queued.refusals++
      queued.errors = 0
    } else queued.errors++
    queued.backoffUntil = this.#backoffEnd(queued)
    if (isRefused) this.#rest(queued, 'ScheduleAttemptFailure')
    else this.#backOff(queued, 'ScheduleAttemptFailure')
  }

  /** Something happened in the cluster: pods are tried again that it may help. `isMeant` can leave some out. */
  moveOn(event: ClusterEvent, objects: EventObjects, isMeant: (pod: PodInfo) => boolean = () => true): void {
    this.#happenings++
    if (this.#unschedulable.size === 0) return
    const candidates = new Set<QueuedPod>()
    for (const { hints } of this.#profiles.values()) {
      for (const plugin of hints.get(event)?.keys() ?? []) {
        for (const queued of this.#byRejector.get(plugin) ?? []) candidates.add(queued)
      }
    }
    for (const queued of candidates) {
      if (isMeant(queued.pod) && this.#isWorthATry(queued, event, objects)) this.#requeue(queued, eventLabel(event))
    }
  }

  /** How much has happened so far: whoever takes his time over a pod can see whether he has missed something. */
  get happenings(): number {
    return this.#happenings
  }

  /** Tries a pod again when its back-off is over, whatever it waits for. */
  retry(uid: string): void {
    const queued = this.#unschedulable.get(uid)
    if (queued) this.#requeue(queued, 'MissedEvents')
  }

  /** What kept a pod out of the queue is over: one that was to be tried in the meantime is tried. */
  opened(uid: string): void {
    const queued = this.#unschedulable.get(uid)
    if (queued?.gate !== undefined) this.#requeue(queued, 'GateOpened')
  }

  /** Tries a pod again now, whatever it waits for. */
  activate(uid: string): void {
    const queued = this.#queued.get(uid)
    if (!queued || this.#active.has(queued)) return
    this.#take(queued)
    this.#activate(queued, 'ForceActivate')
  }

  /** Makes active whose back-off is over, and tries again what has rested for too long. */
  flush(): void {
    const now = this.#clock.now()
    for (const heap of [this.#backoff, this.#errorBackoff]) {
      for (;;) {
        const queued = heap.peek()
        if (!queued || queued.backoffUntil >= windowStart(now)) break
        this.#take(queued)
        this.#activate(queued, 'BackoffComplete')
      }
    }
    for (const queued of this.#unschedulable.values()) {
      if (queued.gate !== undefined || now - queued.queuedAt <= this.#maxUnschedulableMs) continue
      this.#requeue(queued, 'UnschedulableTimeout')
      queued.flushed = true
    }
  }

  #isWorthATry(queued: QueuedPod, event: ClusterEvent, objects: EventObjects): boolean {
    const interested = this.#profiles.get(queued.pod.schedulerName)?.hints.get(event)
    if (!interested) return false
    // What keeps a pod out of the queue must open first; nothing else matters before.
    if (queued.gate !== undefined && !interested.has(queued.gate)) return false
    for (const [plugin, hints] of interested) {
      if (!queued.rejectors.has(plugin) && !queued.pending.has(plugin)) continue
      if (hints.some(({ worthATry }) => !worthATry || worthATry(queued.pod, objects))) return true
    }
    return false
  }

  #requeue(queued: QueuedPod, cause: string): void {
    this.#take(queued)
    const isBackingOff = queued.backoffUntil >= windowStart(this.#clock.now())
    if (isBackingOff && queued.pending.size === 0) this.#backOff(queued, cause)
    else this.#activate(queued, cause)
  }

  #activate(queued: QueuedPod, cause: string): void {
    if (this.#isGated(queued)) {
      this.#rest(queued, cause)
      return
    }
    this.#queued.set(queued.pod.uid, queued)
    this.#active.push(queued)
    this.#onIncoming('active', cause)
    this.#wake?.()
  }

  #backOff(queued: QueuedPod, cause: string): void {
    if (this.#isGated(queued)) {
      this.#rest(queued, cause)
      return
    }
    this.#queued.set(queued.pod.uid, queued)
    const heap = queued.errors > 0 ? this.#errorBackoff : this.#backoff
    heap.push(queued)
    this.#onIncoming('backoff', cause)
    this.#wake?.()
  }

  #rest(queued: QueuedPod, cause: string): void {
    this.#queued.set(queued.pod.uid, queued)
    this.#unschedulable.set(queued.pod.uid, queued)
    for (const plugin of [...queued.rejectors, ...queued.pending]) {
      const pods = this.#byRejector.get(plugin)
      if (pods) pods.add(queued)
      else this.#byRejector.set(plugin, new Set([queued]))
    }
    this.#onIncoming('unschedulable', cause)
  }

  #isGated(queued: QueuedPod): boolean {
    for (const plugin of this.#profiles.get(queued.pod.schedulerName)?.gates ?? []) {
      if (!plugin.preEnqueue?.(queued.pod)) continue
      queued.gate = plugin.name
      queued.rejectors = new Set(queued.rejectors).add(plugin.name)
      return true
    }
    queued.gate = undefined
    return false
  }

  #take(queued: QueuedPod): void {
    this.#queued.delete(queued.pod.uid)
    if (this.#active.remove(queued) || this.#backoff.remove(queued) || this.#errorBackoff.remove(queued)) return
    if (!this.#unschedulable.delete(queued.pod.uid)) return
    for (const plugin of [...queued.rejectors, ...queued.pending]) this.#byRejector.get(plugin)?.delete(queued)
  }

  #backoffEnd({ errors, refusals, queuedAt }: QueuedPod): number {
    const count = errors > 0 ? errors : refusals
    if (count === 0) return 0
    const ms = Math.min(this.#initialBackoffMs * 2 ** (count - 1), this.#maxBackoffMs)
    return windowStart(queuedAt + ms)
  }

  /** Until the next pod may become ready by itself. */
  #sleepMs(): number {
    const first = this.#errorBackoff.peek()
    if (!first) return flushEveryMs
    const ready = first.backoffUntil + windowMs
    return Math.min(Math.max(ready - this.#clock.now(), 1), flushEveryMs)
  }
}

const windowStart = (time: number): number => time - (time % windowMs)

/** What the queue knows of the plugins of one profile. */
interface QueueProfile {
  readonly gates: readonly QueuePlugin[]
  readonly hints: ReadonlyMap<ClusterEvent, ReadonlyMap<string, readonly Hint[]>>
}

const queueProfile = (plugins: readonly QueuePlugin[]): QueueProfile => ({
  gates: plugins.filter(({ preEnqueue }) => preEnqueue !== undefined),
  hints: hintsByEvent(plugins),
})

function hintsByEvent(plugins: readonly QueuePlugin[]): Map<ClusterEvent, Map<string, Hint[]>> {
  const byEvent = new Map<ClusterEvent, Map<string, Hint[]>>()
  for (const { name, hints = [] } of plugins) {
    for (const hint of hints) {
      for (const event of hint.on) {
        let byPlugin = byEvent.get(event)
        if (!byPlugin) {
          byPlugin = new Map()
          byEvent.set(event, byPlugin)
        }
        byPlugin.set(name, [...(byPlugin.get(name) ?? []), hint])
      }
    }
  }
  return byEvent
}
