import type { Job, JobCondition, JobStatus, Pod } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'
import { formatIndexes } from './completion-index.ts'
import type { Verdict } from './plan.ts'
import { judgeFailure } from './policies.ts'
import { hasFailed, isIndexed, isTracked, isValidIndex, specOf, type Tally } from './tally.ts'

/** Named in the status at most, until they are counted. */
const maxUncounted = 500

export interface Outcome {
  status: JobStatus
  /** Their end is in the status: once that is written, they may go. */
  release: Live<Pod>[]
  events: { type: 'Normal' | 'Warning'; reason: string; message: string }[]
}

/**
 * The job's next status. The end of a pod is first named in it, then the pod is released, and only when that is seen is it
 * counted: so none is counted twice or forgotten, whatever breaks in between. The final condition comes when all have been
 * counted and none is on its way out.
 */
export function jobStatus(world: {
  job: Live<Job>
  pods: readonly Live<Pod>[]
  counts: Tally
  verdict: Verdict | undefined
  /** After what has been created and deleted. */
  active: number
  ready: number
  terminating: number
  /** The number of pods has been put right, so that suspending is done when it is said. */
  managed: boolean
  nowMs: number
}): Outcome {
  const { job, pods, verdict, nowMs } = world
  const { suspend = false, completions } = specOf(job)
  const before = job.status ?? {}
  const events: Outcome['events'] = []
  const tracked = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid))
  const uncounted = {
    succeeded: [...(before.uncountedTerminatedPods?.succeeded ?? [])],
    failed: [...(before.uncountedTerminatedPods?.failed ?? [])],
  }
  const counted = (list: readonly string[]) => list.filter((uid) => !tracked.has(uid)).length
  let succeeded = (before.succeeded ?? 0) + counted(uncounted.succeeded)
  const failed = (before.failed ?? 0) + counted(uncounted.failed)
  uncounted.succeeded = uncounted.succeeded.filter((uid) => tracked.has(uid))
  uncounted.failed = uncounted.failed.filter((uid) => tracked.has(uid))
  const release = nameEnded(world, uncounted)
  if (isIndexed(job)) succeeded = world.counts.succeededIndexes.size

  let conditions = before.conditions ?? []
  let { startTime } = before
  if (startTime === undefined && !suspend) startTime = formatTime(nowMs)
  if (verdict) {
    conditions = withCondition(conditions, verdict.target, 'True', verdict.reason, verdict.message, nowMs)
  } else if (world.managed) {
    const was = conditions.find(({ type }) => type === 'Suspended')?.status === 'True'
    conditions = suspend
      ? withCondition(conditions, 'Suspended', 'True', 'JobSuspended', 'Job suspended', nowMs)
      : withCondition(conditions, 'Suspended', 'False', 'JobResumed', 'Job resumed', nowMs)
    if (suspend && !was) {
      events.push({ type: 'Normal', reason: 'Suspended', message: 'Job suspended' })
      startTime = undefined
    } else if (!suspend && was) {
      events.push({ type: 'Normal', reason: 'Resumed', message: 'Job resumed' })
      startTime = formatTime(nowMs)
    }
  }
  let completionTime: string | undefined
  const settled = uncounted.succeeded.length + uncounted.failed.length === 0 && world.terminating === 0
  if (verdict && settled && world.active === 0) {
    const { reason, message } = verdict
    const done = verdict.target === 'SuccessCriteriaMet'
    conditions = withCondition(conditions, done ? 'Complete' : 'Failed', 'True', reason, message, nowMs)
    if (done) completionTime = formatTime(nowMs)
    if (done && completions !== undefined && succeeded > completions) {
      const tooMany = 'Too many succeeded pods running after completion count reached'
      events.push({ type: 'Warning', reason: 'TooManySucceededPods', message: tooMany })
    }
    events.push(
      done ? { type: 'Normal', reason: 'Completed', message: 'Job completed' } : { type: 'Warning', reason, message },
    )
  }
  const completedIndexes = isIndexed(job) ? formatIndexes(world.counts.succeededIndexes) : ''
  const { failedIndexes } = world.counts
  const status: JobStatus = {
    // Zeros are left out, but for ready and terminating: as upstream has it.
    ...(world.active > 0 ? { active: world.active } : {}),
    ...(succeeded > 0 ? { succeeded } : {}),
    ...(failed > 0 ? { failed } : {}),
    ready: world.ready,
    terminating: world.terminating,
    uncountedTerminatedPods: {
      ...(uncounted.succeeded.length > 0 ? { succeeded: uncounted.succeeded } : {}),
      ...(uncounted.failed.length > 0 ? { failed: uncounted.failed } : {}),
    },
    ...(completedIndexes === '' ? {} : { completedIndexes }),
    ...(failedIndexes ? { failedIndexes: formatIndexes(failedIndexes) } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(startTime === undefined ? {} : { startTime }),
    ...(completionTime === undefined ? {} : { completionTime }),
  }
  return { status, release, events }
}

/** Adds those that have ended to `uncounted`, and returns all that may go once it is written. */
function nameEnded(
  { job, pods, counts, verdict }: Parameters<typeof jobStatus>[0],
  uncounted: { succeeded: string[]; failed: string[] },
): Live<Pod>[] {
  const indexed = isIndexed(job)
  const completions = specOf(job).completions ?? 0
  const named = new Set([...uncounted.succeeded, ...uncounted.failed])
  const ofFailure = verdict?.target === 'FailureTarget'
  const release: Live<Pod>[] = []
  for (const pod of pods.filter(isTracked)) {
    if (uncounted.succeeded.length + uncounted.failed.length >= maxUncounted) break
    const { uid = '' } = pod.metadata
    const ended = pod.status?.phase === 'Succeeded' || hasFailed(job, pod)
    if (!ended && !verdict && job.metadata.deletionTimestamp === undefined) continue
    // The pod that replaces it takes over its count of failures, and needs to see it.
    const waits = [...counts.replaceable.values()].includes(pod)
    if (waits && !verdict && job.metadata.deletionTimestamp === undefined) continue
    release.push(pod)
    if (named.has(uid)) continue
    if (pod.status?.phase === 'Succeeded') {
      if (!indexed) uncounted.succeeded.push(uid)
    } else if (hasFailed(job, pod) || ofFailure) {
      if ((!indexed || isValidIndex(pod, completions)) && judgeFailure(job, pod).counts) uncounted.failed.push(uid)
    }
  }
  return release
}

/** Sets a condition unless it says just that; one that would be false and was never there is not begun. */
function withCondition(
  conditions: readonly JobCondition[],
  type: string,
  status: 'True' | 'False',
  reason: string,
  message: string,
  nowMs: number,
): JobCondition[] {
  const standing = conditions.find((condition) => condition.type === type)
  if (!standing && status === 'False') return [...conditions]
  if (standing && standing.status === status && standing.reason === reason && standing.message === message) {
    return [...conditions]
  }
  const time = formatTime(nowMs)
  const condition = { type, status, reason, message, lastProbeTime: time, lastTransitionTime: time }
  return standing ? conditions.map((one) => (one === standing ? condition : one)) : [...conditions, condition]
}
