import type { CronJob, Job, JobTemplateSpec } from '../../api/generated/types.ts'
import { formatSelectorString } from '../../api/machinery/labels.ts'
import { humanDuration, joinOrNone } from '../../api/machinery/print.ts'
import { describes } from './describer.ts'
import { boolText, field, fieldIf, identity, longTime, orUnset } from './lines.ts'
import { controlledBy } from './pod.ts'
import { templateLines } from './pod-template.ts'

const indexesShown = 50

/** A job: how many pods it wants, and how many have succeeded. */
export const job = describes<Job>((object) => {
  const { spec, status = {} } = object
  const { startTime, completionTime, ready } = status
  const [name = '', namespace = '', ...rest] = identity(object)
  const active = `${status.active ?? 0} Active${ready === undefined ? '' : ` (${ready} Ready)`}`
  return [
    name,
    namespace,
    field('Selector', formatSelectorString(spec?.selector)),
    ...rest,
    ...controlledBy(object),
    ...fieldIf('Parallelism', spec?.parallelism),
    field('Completions', orUnset(spec?.completions)),
    ...fieldIf('Completion Mode', spec?.completionMode),
    ...fieldIf('Suspend', spec?.suspend),
    ...fieldIf('Backoff Limit', spec?.backoffLimit),
    ...fieldIf('TTL Seconds After Finished', spec?.ttlSecondsAfterFinished),
    ...(startTime ? [field('Start Time', longTime(startTime))] : []),
    ...(completionTime ? [field('Completed At', longTime(completionTime))] : []),
    ...(startTime && completionTime
      ? [field('Duration', humanDuration(Date.parse(completionTime) - Date.parse(startTime)))]
      : []),
    ...(spec?.activeDeadlineSeconds === undefined
      ? []
      : [field('Active Deadline Seconds', `${spec.activeDeadlineSeconds}s`)]),
    field('Pods Statuses', `${active} / ${status.succeeded ?? 0} Succeeded / ${status.failed ?? 0} Failed`),
    ...(spec?.completionMode === 'Indexed'
      ? [field('Completed Indexes', shortIndexes(status.completedIndexes ?? ''))]
      : []),
    ...templateLines(spec?.template),
  ]
})

function shortIndexes(indexes: string): string {
  const comma = indexes.indexOf(',', indexesShown)
  return indexes === '' ? '<none>' : comma < 0 ? indexes : `${indexes.slice(0, comma + 1)}...`
}

/** A cron job: when it makes jobs, and from what. */
export const cronJob = describes<CronJob>((object) => {
  const { spec, status = {} } = object
  const deadline = spec?.startingDeadlineSeconds
  return [
    ...identity(object),
    field('Schedule', spec?.schedule),
    field('Concurrency Policy', spec?.concurrencyPolicy),
    field('Suspend', boolText(spec?.suspend)),
    field('Time Zone', orUnset(spec?.timeZone)),
    field('Successful Job History Limit', orUnset(spec?.successfulJobsHistoryLimit)),
    field('Failed Job History Limit', orUnset(spec?.failedJobsHistoryLimit)),
    field('Starting Deadline Seconds', deadline === undefined ? '<unset>' : `${deadline}s`),
    ...jobTemplateLines(spec?.jobTemplate),
    field('Last Schedule Time', status.lastScheduleTime ? longTime(status.lastScheduleTime) : '<unset>'),
    field(
      'Active Jobs',
      joinOrNone(
        (status.active ?? []).map(({ name = '' }) => name),
        ', ',
      ),
    ),
  ]
})

function jobTemplateLines(template: JobTemplateSpec | undefined): string[] {
  const { selector, parallelism, completions, activeDeadlineSeconds, template: pods } = template?.spec ?? {}
  return [
    field('Selector', selector ? formatSelectorString(selector) : '<unset>'),
    field('Parallelism', orUnset(parallelism)),
    field('Completions', orUnset(completions)),
    ...(activeDeadlineSeconds === undefined ? [] : [field('Active Deadline Seconds', `${activeDeadlineSeconds}s`)]),
    ...templateLines(pods),
  ]
}
