import type { Pod } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'

type APod = Pick<Live<Pod>, 'metadata' | 'spec' | 'status'>

/** Counts towards the replicas: it neither ended nor is being deleted. */
export const isActive = (pod: APod): boolean => !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined

/** Being deleted, and its containers may still run. */
export const isTerminating = (pod: APod): boolean => !isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined

/** Its containers have ended for good. */
export const isTerminal = ({ status }: APod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed'

/** Its Ready condition is true. */
export const isReady = (pod: APod): boolean => readyCondition(pod) !== undefined

/** When it became ready, in milliseconds since 1970; undefined if it is not, or does not tell. */
export function readySinceMs(pod: APod): number | undefined {
  const since = readyCondition(pod)?.lastTransitionTime
  return since === undefined ? undefined : parseTime(since)
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: APod, minReadySeconds: number, nowMs: number): boolean {
  if (!isReady(pod)) return false
  if (minReadySeconds <= 0) return true
  const since = readySinceMs(pod)
  return since !== undefined && since + minReadySeconds * 1000 <= nowMs
}

/** Milliseconds until the first of the ready pods that are not available yet is; undefined if there is none. */
export function untilNextAvailableMs(
  pods: readonly APod[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  if (minReadySeconds <= 0) return undefined
  let first: number | undefined
  for (const pod of pods) {
    const since = readySinceMs(pod)
    if (since === undefined) continue
    const left = since + minReadySeconds * 1000 - nowMs
    if (left > 0 && (first === undefined || left < first)) first = left
  }
  return first
}

const readyCondition = ({ status }: APod) =>
  status?.conditions?.find(({ type, status: value }) => type === 'Ready' && value === 'True')
