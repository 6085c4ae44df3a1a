import { isDeepStrictEqual } from 'node:util'
import type { PodCondition, PodStatus } from '../../api/generated/types.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import type { Logger } from '../../client/logger.ts'
import { pods } from '../../client/resources.ts'
import type { Api, Clock } from '../../client/types.ts'
import { resizeConditions } from './conditions.ts'
import { type BoundPod, isTerminalPhase } from './types.ts'

interface Entry {
  pod: BoundPod
  wanted: PodStatus
  /** As the server has it, as far as we know. */
  written: PodStatus
  writing: Promise<void> | undefined
  /** Ends the wait before a write. */
  hurry: AbortController
}

/** How long the news that a pod has not begun yet may wait: nearly always better news overtakes it. */
const pendingDelayMs = 700
const retryMs = [200, 1000, 5000, 10_000]

/** Brings the statuses of pods to the API server: only what has changed, one write a pod at a time, the newest wins. */
export class StatusWriter {
  readonly #api: Api
  readonly #clock: Clock
  readonly #log: Logger
  readonly #entries = new Map<string, Entry>()

  constructor(api: Api, clock: Clock, log: Logger) {
    this.#api = api
    this.#clock = clock
    this.#log = log
  }

  /** The status last set; the API's for a pod that this agent has not spoken of yet. */
  current(pod: BoundPod): PodStatus {
    return this.#entries.get(pod.metadata.uid)?.wanted ?? pod.status ?? {}
  }

  /** `pod` is the object whose status it is: for a static pod the one that stands for it in the API. */
  set(pod: BoundPod, status: PodStatus): void {
    const { uid } = pod.metadata
    const known = this.#entries.get(uid)
    const entry: Entry = known ?? {
      pod,
      wanted: status,
      written: pod.status ?? {},
      writing: undefined,
      hurry: new AbortController(),
    }
    this.#entries.set(uid, entry)
    entry.pod = pod
    entry.wanted = status
    if (entry.writing) {
      if (status.phase !== 'Pending') entry.hurry.abort()
      return
    }
    if (isDeepStrictEqual(entry.wanted, entry.written)) return
    entry.writing = this.#write(uid, entry).finally(() => {
      entry.writing = undefined
    })
  }

  /** Resolves when the server has the newest status, or has the pod no longer. */
  async flush(uid: string): Promise<void> {
    const entry = this.#entries.get(uid)
    entry?.hurry.abort()
    await entry?.writing
  }

  forget(uid: string): void {
    this.#entries.get(uid)?.hurry.abort()
    this.#entries.delete(uid)
  }

  async #write(uid: string, entry: Entry): Promise<void> {
    if (entry.wanted.phase === 'Pending') await this.#pause(entry, pendingDelayMs)
    for (let failures = 0; this.#entries.get(uid) === entry; ) {
      const { wanted, pod } = entry
      const patch = statusPatch(entry.written, wanted)
      if (!patch) return
      const { name, namespace } = pod.metadata
      const body = { metadata: { uid }, status: patch }
      try {
        await this.#api.patch(pods, { namespace, name }, { type: 'strategic', body }, { subresource: 'status' })
        entry.written = wanted
        failures = 0
      } catch (error) {
        // Gone, or another pod of that name: nobody wants this status any more.
        if (isNotFound(error) || isConflict(error)) return
        this.#log.warn({ err: error, pod: `${namespace}/${name}` }, 'the status of a pod cannot be written')
        await this.#pause(entry, retryMs[Math.min(failures++, retryMs.length - 1)] as number)
      }
    }
  }

  async #pause(entry: Entry, ms: number): Promise<void> {
    entry.hurry = new AbortController()
    await this.#clock.sleep(ms, entry.hurry.signal).catch(() => undefined)
  }
}

/** The strategic merge patch from one status to the other; undefined: nothing to do. Others' conditions are left alone. */
export function statusPatch(before: PodStatus, after: PodStatus): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {}
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof PodStatus>
  for (const name of names) {
    if (kept.has(name) && after[name] === undefined) continue
    if (isDeepStrictEqual(before[name], after[name])) continue
    if (name === 'conditions') {
      const changed = changedConditions(before.conditions ?? [], after.conditions ?? [])
      if (changed.length > 0) patch[name] = changed
    } else if (mergedByAddress.has(name)) {
      // Merged by address, the old ones would stay beside the new.
      patch[name] = [{ $patch: 'replace' }, ...((after[name] as object[] | undefined) ?? [])]
    } else patch[name] = after[name] ?? null
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

/** What others write, or what never goes away once it is there. */
const kept: ReadonlySet<string> = new Set([
  'nominatedNodeName',
  'podIP',
  'podIPs',
  'hostIP',
  'hostIPs',
  'startTime',
  'qosClass',
  'resourceClaimStatuses',
  'extendedResourceClaimStatus',
  'nodeAllocatableResourceClaimStatuses',
])

const mergedByAddress: ReadonlySet<string> = new Set(['podIPs', 'hostIPs'])

function changedConditions(before: readonly PodCondition[], after: readonly PodCondition[]): object[] {
  const has = (list: readonly PodCondition[], wanted: string) => list.some(({ type }) => type === wanted)
  return [
    ...after.flatMap((condition) => {
      const old = before.find(({ type }) => type === condition.type)
      return isDeepStrictEqual(old, condition) ? [] : [{ ...nothingOf(old), ...condition }]
    }),
    ...resizeConditions.flatMap((type) => (has(before, type) && !has(after, type) ? [{ $patch: 'delete', type }] : [])),
  ]
}

/** Null for each field there is, which takes away what the new condition does not say. */
const nothingOf = (old: PodCondition | undefined): object =>
  Object.fromEntries(Object.keys(old ?? {}).map((name) => [name, null]))

/** Whether a status says that the pod will never run again. */
export const isFinal = (status: PodStatus): boolean => isTerminalPhase(status.phase)
