import type { Pod } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'
import { isReady } from '../pods/condition.ts'

/** What containers wait for that will not come by itself. */
const hopeless: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
])

/** The time within which a deployment's pods must become ready, unless it says otherwise. */
const patienceMs = 600_000
/** A node agent writes the first conditions together with the start time, give or take. */
const sameTimeMs = 2000

/**
 * When a pod of an old revision need not be waited for any more, in milliseconds from now: at once (0) when it cannot be
 * scheduled or a container cannot run, after ten minutes when it has not become ready once, and never (undefined) when it has.
 */
export function untilStuckMs(pod: Live<Pod>, nowMs: number): number | undefined {
  const { metadata, status } = pod
  if (metadata.deletionTimestamp !== undefined || isReady(pod)) return undefined
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  if (containers.some(({ state }) => hopeless.has(state?.waiting?.reason ?? ''))) return 0
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') return 0
  if (wasReady(pod)) return undefined
  return Math.max(0, (parseTime(metadata.creationTimestamp ?? '') ?? nowMs) + patienceMs - nowMs)
}

/** It is not ready, and has not been so since its start: it was ready in between. */
function wasReady({ status }: Live<Pod>): boolean {
  const since = status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime
  const start = status?.startTime
  if (since === undefined || start === undefined) return false
  return (parseTime(since) ?? 0) - (parseTime(start) ?? 0) > sameTimeMs
}
