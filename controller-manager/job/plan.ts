import type { Job, Pod } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'
import { isTerminating } from '../pods/condition.ts'
import { podsToDelete } from '../pods/deletion-order.ts'
import { finishedAtMs, waitAfterFailuresMs, waitMs } from './backoff.ts'
import { indexOf } from './completion-index.ts'
import { judgeFailure, metSuccessRule } from './policies.ts'
import { allFailures, hasFailed, isIndexed, replacesOnlyFailed, specOf, type Tally } from './tally.ts'

/** At most as many pods are created or deleted at a time. */
const burst = 500

export interface World {
  job: Live<Job>
  pods: readonly Live<Pod>[]
  /** The cache shows all that was created and deleted. */
  settled: boolean
  nowMs: number
}

/** How a job ends: `target` is the condition that says so at once, before the last pods are gone. */
export interface Verdict {
  target: 'SuccessCriteriaMet' | 'FailureTarget'
  reason: string
  message: string
}

export interface JobPlan {
  verdict: Verdict | undefined
  delete: Live<Pod>[]
  /** One for each pod to be created; undefined in a job without indexes. */
  create: (number | undefined)[]
  requeueAfterMs: number | undefined
}

/** What is to be done with the pods, and whether the job has been decided. */
export function planJob(world: World, counts: Tally): JobPlan {
  const { job, nowMs } = world
  const verdict = judge(world, counts)
  const deadline = untilDeadlineMs(job, nowMs)
  if (verdict) return { verdict, delete: world.settled ? counts.active : [], create: [], requeueAfterMs: undefined }
  const idle: JobPlan = { verdict: undefined, delete: [], create: [], requeueAfterMs: deadline }
  if (!world.settled || job.metadata.deletionTimestamp !== undefined) return idle
  if (specOf(job).suspend) return { ...idle, delete: counts.active }
  return { ...idle, ...manage(world, counts, deadline) }
}

/** Enough has succeeded and nothing runs: asked after the plan, when `active` is what is left. */
export function isReached(job: Live<Job>, counts: Tally, active: number): boolean {
  const { completions } = specOf(job)
  return active === 0 && (completions === undefined ? counts.succeeded > 0 : counts.succeeded >= completions)
}

export const reached: Verdict = {
  target: 'SuccessCriteriaMet',
  reason: 'CompletionsReached',
  message: 'Reached expected number of succeeded pods',
}

function judge(world: World, counts: Tally): Verdict | undefined {
  const { job, pods, nowMs } = world
  const spec = specOf(job)
  for (const target of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
    const standing = job.status?.conditions?.find(({ type, status }) => type === target && status === 'True')
    if (standing) return { target, reason: standing.reason ?? '', message: standing.message ?? '' }
  }
  const fail = (reason: string, message: string): Verdict => ({ target: 'FailureTarget', reason, message })
  for (const pod of pods) {
    const message = hasFailed(job, pod) ? judgeFailure(job, pod).failsJob : undefined
    if (message !== undefined) return fail('PodFailurePolicy', message)
  }
  if (counts.failed > (spec.backoffLimit ?? 6) || restartsExceedLimit(world)) {
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  }
  if (untilDeadlineMs(job, nowMs) === 0) {
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline')
  }
  if (!isIndexed(job)) return undefined
  const failed = counts.failedIndexes?.size ?? 0
  if (spec.maxFailedIndexes !== undefined && failed > spec.maxFailedIndexes) {
    return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  }
  const completions = spec.completions ?? 0
  if (failed > 0 && failed + counts.succeededIndexes.size >= completions) {
    return fail('FailedIndexes', 'Job has failed indexes')
  }
  const rule = metSuccessRule(spec.successPolicy, counts.succeededIndexes, completions)
  if (rule === undefined) return undefined
  return { target: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` }
}

/** Where pods restart their containers, restarts count as failures. */
function restartsExceedLimit({ job, pods }: World): boolean {
  const { backoffLimit = 6, template } = specOf(job)
  if (template.spec?.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue
    for (const { restartCount } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
      restarts += restartCount
    }
  }
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit
}

/** 0: it has passed; undefined: there is none. */
function untilDeadlineMs(job: Live<Job>, nowMs: number): number | undefined {
  const { activeDeadlineSeconds, suspend } = specOf(job)
  const start = parseTime(job.status?.startTime ?? '')
  if (activeDeadlineSeconds === undefined || suspend) return undefined
  return Math.max(0, (start ?? nowMs) + activeDeadlineSeconds * 1000 - nowMs)
}

function manage(world: World, counts: Tally, deadline: number | undefined): Partial<JobPlan> {
  const { job, pods, nowMs } = world
  const { completions, parallelism = 1 } = specOf(job)
  const active = counts.active.length
  const wanted =
    completions === undefined
      ? counts.succeeded > 0
        ? active
        : parallelism
      : Math.max(0, Math.min(completions - counts.succeeded, parallelism))
  const surplus = surplusPods(world, counts, Math.max(0, active - wanted))
  if (surplus.length > 0) return { delete: surplus.slice(0, burst) }
  const missing = wanted - active - (replacesOnlyFailed(job) ? counts.terminating : 0)
  if (missing <= 0) return {}
  const count = Math.min(missing, burst)
  const later = (ms: number) => ({ requeueAfterMs: Math.min(ms, deadline ?? ms) })
  if (specOf(job).backoffLimitPerIndex === undefined) {
    const failed = pods.filter((pod) => hasFailed(job, pod))
    const succeeded = pods.filter(({ status }) => status?.phase === 'Succeeded')
    const wait = waitAfterFailuresMs(failed, succeeded, nowMs)
    if (wait > 0) return later(wait)
  }
  if (!isIndexed(job)) return { create: Array.from({ length: count }, () => undefined) }
  const waitOf = (index: number) => {
    const pod = counts.replaceable.get(index)
    return pod ? waitMs(allFailures(pod) + 1, finishedAtMs(pod), nowMs) : 0
  }
  const pending = pendingIndexes(world, counts, count)
  const now = pending.filter((index) => waitOf(index) === 0)
  if (now.length > 0 || pending.length === 0) return { create: now }
  return later(Math.min(...pending.map(waitOf)))
}

/** Of several pods with one index, and of indexes beyond the last, none may stay; then as many as are too many. */
function surplusPods({ job, nowMs }: World, { active }: Tally, atLeast: number): Live<Pod>[] {
  const surplus: Live<Pod>[] = []
  let left = active
  if (isIndexed(job)) {
    left = []
    const index = (pod: Live<Pod>) => indexOf(pod) ?? Number.POSITIVE_INFINITY
    for (const number of new Set(active.map(index))) {
      const same = active.filter((pod) => index(pod) === number)
      const keep = number < (specOf(job).completions ?? 0) ? 1 : 0
      const gone = podsToDelete(same, [], same.length - keep, nowMs)
      surplus.push(...gone)
      left.push(...same.filter((pod) => !gone.includes(pod)))
    }
  }
  const more = Math.max(0, atLeast - surplus.length)
  return [...surplus, ...podsToDelete(left, [], more, nowMs)]
}

/** The lowest indexes that nobody works on, has done, or has failed for good. */
function pendingIndexes({ job, pods }: World, counts: Tally, count: number): number[] {
  const taken = new Set([...counts.succeededIndexes, ...(counts.failedIndexes ?? []), ...counts.active.map(indexOf)])
  if (replacesOnlyFailed(job)) for (const pod of pods.filter(isTerminating)) taken.add(indexOf(pod))
  const pending: number[] = []
  for (let index = 0; index < (specOf(job).completions ?? 0) && pending.length < count; index++) {
    if (!taken.has(index)) pending.push(index)
  }
  return pending
}
