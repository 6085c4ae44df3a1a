import { hasJobCondition } from '../../api/batch/job-status.ts'
import { type CronSchedule, isTimeZone, parseCronSchedule } from '../../api/batch/schedule.ts'
import type { CronJob, CronJobSpec, CronJobStatus, Job } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'
import { nextTime } from './next-time.ts'

/** So much after its time a job is started: then the second has surely come. */
const skewMs = 100
const manyMissed = 100

export interface Told {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

export interface CronPlan {
  status: CronJobStatus
  events: Told[]
  /** Old runs beyond the history limits, and runs that are replaced. */
  delete: Live<Job>[]
  /** The time for which a job is due. */
  start: number | undefined
  requeueAfterMs: number | undefined
}

/** What is to be done for a cron job that owns these `jobs`. */
export function planCronJob(cron: Live<CronJob>, jobs: readonly Live<Job>[], nowMs: number): CronPlan {
  const { status, events } = lookAtJobs(cron, jobs)
  const plan: CronPlan = {
    status,
    events,
    delete: surplusHistory(cron, jobs),
    start: undefined,
    requeueAfterMs: undefined,
  }
  const spec = cron.spec as CronJobSpec
  if (cron.metadata.deletionTimestamp !== undefined) return plan
  const warn = (reason: string, message: string) => {
    events.push({ type: 'Warning', reason, message })
    return plan
  }
  const { timeZone } = spec
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    return warn('UnknownTimeZone', `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`)
  }
  if (spec.suspend) return plan
  let schedule: CronSchedule
  try {
    schedule = parseCronSchedule(spec.schedule)
  } catch (error) {
    const text = JSON.stringify(spec.schedule)
    return warn('UnparseableSchedule', `unparseable schedule: ${text} : ${(error as Error).message}`)
  }
  const { dueMs, missed, sinceMs } = lastDue(cron, schedule, nowMs)
  const next = nextTime(schedule, dueMs ?? sinceMs, timeZone)
  plan.requeueAfterMs = next === undefined ? undefined : Math.max(0, next - nowMs) + skewMs
  if (dueMs === undefined) return plan
  if (missed > manyMissed) {
    warn(
      'TooManyMissedTimes',
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    )
  }
  const deadline = spec.startingDeadlineSeconds
  if (deadline !== undefined && dueMs + deadline * 1000 < nowMs) {
    const when = new Date(dueMs).toUTCString().replace('GMT', '+0000')
    return warn('MissSchedule', `Missed scheduled time to start a job: ${when}`)
  }
  const name = jobName(cron, dueMs)
  const active = status.active ?? []
  if (active.some((one) => one.name === name) || parseTime(status.lastScheduleTime ?? '') === dueMs) return plan
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    events.push({ type: 'Normal', reason: 'JobAlreadyActive', message })
    return plan
  }
  if (spec.concurrencyPolicy === 'Replace') {
    const running = new Set(active.map(({ uid }) => uid))
    plan.delete.push(...jobs.filter(({ metadata }) => running.has(metadata.uid)))
  }
  plan.start = dueMs
  return plan
}

/** The same for the same time: a second try finds the first one's job. */
export const jobName = ({ metadata }: Live<CronJob>, dueMs: number): string =>
  `${metadata.name}-${Math.floor(dueMs / 60_000)}`

/** Takes what has ended from the list of active jobs, and notes the last success. */
function lookAtJobs(cron: Live<CronJob>, jobs: readonly Live<Job>[]): { status: CronJobStatus; events: Told[] } {
  const events: Told[] = []
  let active = [...(cron.status?.active ?? [])]
  let { lastSuccessfulTime } = cron.status ?? {}
  for (const job of jobs) {
    const { name, uid } = job.metadata
    const listed = active.some((one) => one.uid === uid)
    const complete = hasJobCondition(job, 'Complete')
    const finished = complete || hasJobCondition(job, 'Failed')
    if (!listed && !finished) {
      const message = `Saw a job that the controller did not create or forgot: ${name}`
      events.push({ type: 'Warning', reason: 'UnexpectedJob', message })
    } else if (listed && finished) {
      active = active.filter((one) => one.uid !== uid)
      const message = `Saw completed job: ${name}, condition: ${complete ? 'Complete' : 'Failed'}`
      events.push({ type: 'Normal', reason: 'SawCompletedJob', message })
    }
    const { completionTime } = job.status ?? {}
    if (complete && completionTime !== undefined && (lastSuccessfulTime ?? '') < completionTime) {
      lastSuccessfulTime = completionTime
    }
  }
  const known = new Set(jobs.map(({ metadata }) => metadata.uid))
  for (const { uid, name } of active.filter((one) => !known.has(one.uid))) {
    active = active.filter((one) => one.uid !== uid)
    events.push({ type: 'Normal', reason: 'MissingJob', message: `Active job went missing: ${name}` })
  }
  const { lastScheduleTime } = cron.status ?? {}
  return {
    status: {
      ...(active.length > 0 ? { active } : {}),
      ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
      ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
    },
    events,
  }
}

/** The last time that has passed and was not served yet, and how many have been missed with it. */
function lastDue(
  { metadata, spec, status }: Live<CronJob>,
  schedule: CronSchedule,
  nowMs: number,
): { dueMs: number | undefined; missed: number; sinceMs: number } {
  const zone = spec?.timeZone
  const served = parseTime(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '') ?? nowMs
  const deadline = spec?.startingDeadlineSeconds
  const sinceMs = deadline === undefined ? served : Math.max(served, nowMs - deadline * 1000)
  const first = nextTime(schedule, sinceMs, zone)
  if (first === undefined || nowMs < first) return { dueMs: undefined, missed: 0, sinceMs }
  const second = nextTime(schedule, first, zone)
  if (second === undefined || nowMs < second) return { dueMs: first, missed: 0, sinceMs }
  // Long gaps are leapt over: from about two steps before now, the last one is near.
  const step = Math.max(1000, second - first)
  const missed = Math.floor((nowMs - first) / step) + 1
  let dueMs = first
  const near = first + Math.max(0, missed - 2) * step - 1
  for (let at = nextTime(schedule, Math.max(near, first - 1), zone); at !== undefined && at <= nowMs; ) {
    dueMs = at
    at = nextTime(schedule, at, zone)
  }
  return { dueMs, missed, sinceMs }
}

/** Finished jobs beyond the limits, those that started first. */
function surplusHistory({ spec }: Live<CronJob>, jobs: readonly Live<Job>[]): Live<Job>[] {
  const oldest = (type: 'Complete' | 'Failed', limit: number | undefined) => {
    if (limit === undefined) return []
    const finished = jobs.filter((job) => hasJobCondition(job, type)).sort(byStart)
    return finished.slice(0, Math.max(0, finished.length - limit))
  }
  return [...oldest('Complete', spec?.successfulJobsHistoryLimit), ...oldest('Failed', spec?.failedJobsHistoryLimit)]
}

function byStart(a: Live<Job>, b: Live<Job>): number {
  const [one, other] = [a.status?.startTime ?? '~', b.status?.startTime ?? '~']
  if (one !== other) return one < other ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : 1
}
