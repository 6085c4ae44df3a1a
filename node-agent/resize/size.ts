import { isDeepStrictEqual } from 'node:util'
import type { PodCondition } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { ObservedPod } from '../pods/observed.ts'
import { omitUndefined } from '../pods/omit.ts'
import type { PodEvents } from '../pods/pod-events.ts'
import type { BoundPod } from '../pods/types.ts'
import {
  type Allocation,
  allocationOf,
  allocationOfContainers,
  granted,
  readAllocation,
  writeAllocation,
} from './allocation.ts'
import type { Verdict } from './judge.ts'
import { resizeMessage } from './told.ts'

interface Told {
  reason?: string | undefined
  message?: string | undefined
  /** Of the specification it is about. */
  generation: number
}

const generationOf = ({ metadata }: BoundPod): number => metadata.generation ?? 0

/** How large a pod may be on this node, and how far a change of that has come; conditions and events tell of it. */
export class PodSize {
  readonly #podsDirectory: string
  readonly #events: Pick<PodEvents, 'normal' | 'warning'>
  /** Undefined: what the specification says. */
  #allocation: Allocation | undefined
  #known = false
  #unsaved = false
  #pending: (Told & { since: number }) | undefined
  #progress: Told | undefined

  constructor(pod: BoundPod, podsDirectory: string, events: Pick<PodEvents, 'normal' | 'warning'>) {
    this.#podsDirectory = podsDirectory
    this.#events = events
    for (const { type, reason, message, observedGeneration, lastTransitionTime } of pod.status?.conditions ?? []) {
      const told = { reason, message, generation: observedGeneration ?? generationOf(pod) }
      if (type === 'PodResizePending') this.#pending = { ...told, since: parseTime(lastTransitionTime ?? '') ?? 0 }
      if (type === 'PodResizeInProgress') this.#progress = told
    }
  }

  /** Takes over what an earlier agent has granted. */
  async adopt(pod: BoundPod, observed: ObservedPod): Promise<void> {
    if (this.#known) return
    const before = await readAllocation(this.#podsDirectory, pod.metadata.uid)
    // The specification may have changed meanwhile, and that was noticed.
    this.#allocation ??= before ?? allocationOfContainers(pod.spec, observed)
    this.#known = true
  }

  /** Whether the pod was ever granted another size than it came with. */
  get everChanged(): boolean {
    return this.#allocation !== undefined || this.#progress !== undefined
  }

  /** A resize is under way. */
  get inProgress(): boolean {
    return this.#progress !== undefined
  }

  /** Since when a change waits. */
  get waitsSince(): number | undefined {
    return this.#pending?.since
  }

  granted(pod: BoundPod): BoundPod {
    return granted(pod, this.#allocation)
  }

  /** Before the specification changes: what it said so far stays what was granted. */
  hold(before: BoundPod, after: BoundPod): void {
    if (this.#allocation || isDeepStrictEqual(allocationOf(before.spec), allocationOf(after.spec))) return
    this.#allocation = allocationOf(before.spec)
    this.#unsaved = true
  }

  /** Whether it asks for something that was neither granted nor refused for good. */
  asks(pod: BoundPod): boolean {
    if (!this.#known || this.granted(pod) === pod) return false
    return this.#pending?.reason !== 'Infeasible' || this.#pending.generation !== generationOf(pod)
  }

  /** Whether it waits for room. */
  get deferred(): boolean {
    return this.#pending?.reason === 'Deferred'
  }

  /** What was decided about what it asks for. Answers whether that is news. */
  decide(pod: BoundPod, verdict: Verdict, now: number): boolean {
    const generation = generationOf(pod)
    if (verdict.fits) {
      this.#allocation = allocationOf(pod.spec)
      this.#unsaved = true
      this.#pending = undefined
      this.#progress = { generation }
      this.#events.normal(pod, 'ResizeStarted', resizeMessage('Pod resize started', pod, generation))
      return true
    }
    const { reason, message } = verdict
    const before = this.#pending
    this.#pending = { reason, message, generation, since: before?.since ?? now }
    if (before?.reason === reason && before.generation === generation) return before.message !== message
    const told = resizeMessage(`Pod resize ${reason}`, pod, generation, message)
    this.#events.warning(pod, `Resize${reason}`, told)
    return true
  }

  /** It has what it asks for: nothing is pending, whatever was. */
  settle(pod: BoundPod): void {
    if (this.#known && this.granted(pod) === pod) this.#pending = undefined
  }

  /** What runs differs from what was granted. */
  begin(pod: BoundPod): void {
    this.#progress ??= { generation: generationOf(pod) }
  }

  /** What was granted could not be brought about yet. */
  fail(pod: BoundPod, message: string): void {
    const before = this.#progress
    const generation = before?.generation ?? generationOf(pod)
    this.#progress = { reason: 'Error', message, generation }
    if (before?.reason === 'Error' && before.message === message) return
    this.#events.warning(pod, 'ResizeError', resizeMessage('Pod resize error', pod, generation, message))
  }

  /** All runs as it was granted. */
  finish(pod: BoundPod): void {
    if (!this.#progress) return
    const { generation } = this.#progress
    this.#progress = undefined
    this.#events.normal(pod, 'ResizeCompleted', resizeMessage('Pod resize completed', pod, generation))
  }

  conditions(): PodCondition[] {
    const condition = (type: string, told: Told | undefined): PodCondition[] =>
      told
        ? [
            omitUndefined<PodCondition>({
              type,
              status: 'True',
              reason: told.reason,
              message: told.message,
              observedGeneration: told.generation,
            }),
          ]
        : []
    return [...condition('PodResizePending', this.#pending), ...condition('PodResizeInProgress', this.#progress)]
  }

  /** Keeps what is granted, for another agent. */
  async save(uid: string): Promise<void> {
    if (!this.#unsaved || !this.#allocation) return
    this.#unsaved = false
    await writeAllocation(this.#podsDirectory, uid, this.#allocation)
  }
}
