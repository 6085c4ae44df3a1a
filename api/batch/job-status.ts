import { checkNonNegative } from '../core/pod-spec/checks.ts'
import type { Job, JobCondition, JobStatus } from '../generated/types.ts'
import { duplicate, type FieldError, invalid, required } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { countIndexes, firstCommonIndex } from './indexes.ts'
import { invalidWithoutValue } from './job-policies.ts'

type StoredJob = Stored<Job>

/** The condition is there and true. */
export const hasJobCondition = (job: Pick<Job, 'status'>, type: string): boolean =>
  (job.status?.conditions ?? []).some(
    (condition: JobCondition) => condition.type === type && condition.status === 'True',
  )

const isFinished = (job: StoredJob) => hasJobCondition(job, 'Complete') || hasJobCondition(job, 'Failed')

/**
 * What a controller may report of a job. Most rules look at what this write changes only: a job stored by an older
 * controller must stay writable.
 */
export function validateJobStatus(job: StoredJob, old: StoredJob): FieldError[] {
  const errors: FieldError[] = []
  const status = job.status ?? {}
  for (const name of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) {
    checkNonNegative(errors, status[name], 'status', name)
  }
  validateUncounted(errors, status)
  const changed = changesBetween(job, old)
  validateConditions(errors, job, old, changed)
  validateTimes(errors, job, old, changed)
  validateFinished(errors, job, changed)
  validateIndexes(errors, job, changed)
  validateCounters(errors, job, old, changed)
  return errors
}

type Changes = ReturnType<typeof changesBetween>

function changesBetween(job: StoredJob, old: StoredJob) {
  const field = (name: keyof JobStatus) => !semanticEqual(job.status?.[name], old.status?.[name])
  const condition = (type: string) => hasJobCondition(job, type) !== hasJobCondition(old, type)
  return {
    finished: isFinished(job) !== isFinished(old),
    complete: condition('Complete'),
    failed: condition('Failed'),
    failureTarget: condition('FailureTarget'),
    successCriteriaMet: condition('SuccessCriteriaMet'),
    completedIndexes: (job.status?.completedIndexes ?? '') !== (old.status?.completedIndexes ?? ''),
    failedIndexes: job.status?.failedIndexes !== old.status?.failedIndexes,
    active: (job.status?.active ?? 0) !== (old.status?.active ?? 0),
    startTime: field('startTime'),
    completionTime: field('completionTime'),
    uncounted: field('uncountedTerminatedPods'),
    ready: job.status?.ready !== old.status?.ready,
    terminating: job.status?.terminating !== old.status?.terminating,
  }
}

function validateUncounted(errors: FieldError[], { uncountedTerminatedPods }: JobStatus): void {
  const seen = new Set<string>()
  for (const list of ['succeeded', 'failed'] as const) {
    for (const [i, uid] of (uncountedTerminatedPods?.[list] ?? []).entries()) {
      const path = `status.uncountedTerminatedPods.${list}[${i}]`
      if (uid === '') errors.push(invalid(path, uid, 'must not be empty'))
      else if (seen.has(uid)) errors.push(duplicate(path, uid))
      seen.add(uid)
    }
  }
}

function validateConditions(errors: FieldError[], job: StoredJob, old: StoredJob, changed: Changes): void {
  const refuse = (rule: string) => errors.push(invalidWithoutValue('status.conditions', rule))
  const complete = hasJobCondition(job, 'Complete')
  const failed = hasJobCondition(job, 'Failed')
  const failureTarget = hasJobCondition(job, 'FailureTarget')
  const criteriaMet = hasJobCondition(job, 'SuccessCriteriaMet')
  if (complete && failed && (changed.complete || changed.failed)) {
    refuse('cannot set Complete=True and Failed=true conditions')
  }
  if (complete && failureTarget && (changed.complete || changed.failureTarget)) {
    refuse('cannot set Complete=True and FailureTarget=true conditions')
  }
  if (failed && !failureTarget && (changed.failed || changed.failedIndexes)) {
    refuse('cannot set Failed=True condition without the FailureTarget=true condition')
  }
  if (complete && !criteriaMet && (changed.complete || changed.successCriteriaMet)) {
    refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
  }
  if (criteriaMet && failed) refuse('cannot set SuccessCriteriaMet=True and Failed=true conditions')
  if (criteriaMet && failureTarget) refuse('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions')
  if (job.spec?.successPolicy && !criteriaMet && complete) {
    refuse('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True')
  }
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (hasJobCondition(old, type) && !hasJobCondition(job, type)) {
      refuse(`cannot disable the terminal ${type}=True condition`)
    }
  }
  const wasMet = hasJobCondition(old, 'SuccessCriteriaMet')
  if (wasMet && !criteriaMet) refuse('cannot disable the SuccessCriteriaMet=True condition')
  if (hasJobCondition(old, 'Complete') && !wasMet && criteriaMet) {
    refuse('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions')
  }
}

function validateTimes(errors: FieldError[], job: StoredJob, old: StoredJob, changed: Changes): void {
  const { startTime, completionTime } = job.status ?? {}
  const complete = hasJobCondition(job, 'Complete')
  const path = 'status.completionTime'
  if (changed.complete || changed.completionTime) {
    if (completionTime && !complete) {
      const rule = 'cannot set completionTime when there is no Complete=True condition'
      errors.push(invalid(path, completionTime, rule))
    } else if (!completionTime && complete) {
      errors.push(required(path, 'completionTime is required for Complete jobs'))
    }
  }
  const isBefore = startTime && completionTime && Date.parse(completionTime) < Date.parse(startTime)
  if (isBefore && (changed.startTime || changed.completionTime)) {
    errors.push(invalid(path, completionTime, 'must be equal to or after `startTime`'))
  }
  if (completionTime && old.status?.completionTime && changed.completionTime) {
    errors.push(invalid(path, completionTime, 'field is immutable'))
  }
  const suspended = (status: string) =>
    ((status === 'True' ? old : job).status?.conditions ?? []).some(
      (condition) => condition.type === 'Suspended' && condition.status === status,
    )
  const resuming = suspended('True') && suspended('False')
  if (changed.startTime && !resuming && old.status?.startTime && !job.spec?.suspend) {
    errors.push(invalid('status.startTime', startTime, 'field is immutable for unsuspended job once set'))
  }
}

function validateFinished(errors: FieldError[], job: StoredJob, changed: Changes): void {
  if (!isFinished(job)) return
  const { active = 0, terminating = 0, startTime, uncountedTerminatedPods: uncounted } = job.status ?? {}
  if (active > 0 && (changed.finished || changed.active)) {
    errors.push(invalid('status.active', active, 'active>0 is invalid for finished job'))
  }
  const neverStarts = job.spec?.suspend === true && job.spec.completions === 0
  if (!startTime && (changed.finished || changed.startTime) && !neverStarts) {
    errors.push(required('status.startTime', 'startTime is required for finished job'))
  }
  const left = (uncounted?.failed?.length ?? 0) + (uncounted?.succeeded?.length ?? 0)
  if (left > 0 && (changed.finished || changed.uncounted)) {
    errors.push(invalid('status.uncountedTerminatedPods', uncounted, 'must be empty for finished job'))
  }
  if (terminating > 0 && (changed.finished || changed.terminating)) {
    errors.push(invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'))
  }
}

function validateIndexes(errors: FieldError[], job: StoredJob, changed: Changes): void {
  const { completedIndexes = '', failedIndexes } = job.status ?? {}
  const { completions, backoffLimitPerIndex, completionMode } = job.spec ?? {}
  const checkFormat = (name: 'completedIndexes' | 'failedIndexes', text: string, bound: number) => {
    try {
      countIndexes(text, bound)
    } catch (error) {
      errors.push(invalid(`status.${name}`, text, `error parsing ${name}: ${(error as Error).message}`))
    }
  }
  if (changed.completedIndexes) {
    if (completions !== undefined) checkFormat('completedIndexes', completedIndexes, completions)
    if (completedIndexes !== '' && completionMode !== 'Indexed') {
      const rule = 'cannot set non-empty completedIndexes when non-indexed completion mode'
      errors.push(invalid('status.completedIndexes', completedIndexes, rule))
    }
  }
  if (failedIndexes === undefined) return
  if (changed.failedIndexes) {
    if (backoffLimitPerIndex === undefined) {
      const rule = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'
      errors.push(invalid('status.failedIndexes', failedIndexes, rule))
    } else if (completions !== undefined) checkFormat('failedIndexes', failedIndexes, completions)
  }
  if (completions === undefined || !(changed.failedIndexes || changed.completedIndexes)) return
  const common = firstCommonIndex(completedIndexes, failedIndexes, completions)
  if (common !== undefined) {
    const rule = `failedIndexes and completedIndexes overlap at index: ${common}`
    errors.push(invalid('status.failedIndexes', failedIndexes, rule))
  }
}

function validateCounters(errors: FieldError[], job: StoredJob, old: StoredJob, changed: Changes): void {
  const { ready, active = 0, failed = 0, succeeded = 0 } = job.status ?? {}
  if (ready !== undefined && ready > active && (changed.ready || changed.active)) {
    errors.push(invalid('status.ready', ready, 'cannot set more ready pods than active'))
  }
  if (failed < (old.status?.failed ?? 0)) {
    errors.push(invalid('status.failed', failed, 'cannot decrease the failed counter'))
  }
  // An elastic job (as many completions as workers) may be made smaller, and then counts less.
  const { completionMode, completions, parallelism } = job.spec ?? {}
  const elastic = completionMode === 'Indexed' && completions === parallelism
  if (!elastic && succeeded < (old.status?.succeeded ?? 0)) {
    errors.push(invalid('status.succeeded', succeeded, 'cannot decrease the succeeded counter'))
  }
}
