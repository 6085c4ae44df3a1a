import { checkNonNegative, checkRequiredChoice } from '../core/pod-spec/checks.ts'
import { defaultPodTemplate } from '../core/pod-spec/defaults.ts'
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts'
import { templateColumns } from '../core/pod-spec/template-columns.ts'
import { podValidationOptions } from '../core/pod-spec/tolerance.ts'
import { workloadNameWarnings } from '../core/pod-spec/workload-name.ts'
import type { CronJob, CronJobSpec } from '../generated/types.ts'
import { type FieldError, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { formatLabelSelector } from '../machinery/labels.ts'
import type { Stored } from '../machinery/object.ts'
import { age } from '../machinery/print.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { defaultFailurePolicy, jobSpecWarnings } from './job.ts'
import { validateJobContent } from './job-validation.ts'
import { isTimeZone, parseCronSchedule } from './schedule.ts'

type StoredCronJob = Stored<CronJob>

export const cronJobs = defineResource<StoredCronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.batch.v1.CronJob'),
  defaults: (cronJob) => {
    const spec = specOf(cronJob)
    cronJob.spec = spec
    spec.concurrencyPolicy ||= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
    spec.jobTemplate ??= {}
    spec.jobTemplate.spec ??= { template: {} }
    spec.jobTemplate.spec.template ??= {}
    defaultPodTemplate(spec.jobTemplate.spec.template)
    defaultFailurePolicy(spec.jobTemplate.spec)
  },
  validate: (cronJob, old) => {
    const errors: FieldError[] = []
    validateSpec(errors, specOf(cronJob), old?.spec)
    const name = cronJob.metadata.name ?? ''
    // A job's name is this one, a hyphen and ten digits, and still a label.
    if (!old && name.length > 52) errors.push(invalid('metadata.name', name, 'must be no more than 52 characters'))
    return errors
  },
  validateStatus: () => [],
  warnings: (cronJob, old) => {
    const jobSpec = cronJob.spec?.jobTemplate.spec
    const found = jobSpec ? jobSpecWarnings(jobSpec, 'spec.jobTemplate.spec') : []
    if (!old) return [...workloadNameWarnings(cronJob.metadata.name), ...found]
    const warnings = cronJob.metadata.generation === old.metadata.generation ? [] : found
    if (!cronJob.spec?.schedule.includes('TZ')) return warnings
    const text =
      'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details'
    return [...warnings, text]
  },
  strategy: {
    status: true,
    generation: 'spec',
    prepareForCreate: ({ spec }) => dropDisabledFields(spec?.jobTemplate.spec?.template.spec),
    prepareForUpdate: ({ spec }) => dropDisabledFields(spec?.jobTemplate.spec?.template.spec),
  },
  columns: [
    nameColumn,
    {
      name: 'Schedule',
      type: 'string',
      description: 'When jobs are made, in cron format.',
      value: ({ spec }) => spec?.schedule ?? '',
    },
    {
      name: 'Timezone',
      type: 'string',
      description: 'Time zone of the schedule.',
      value: ({ spec }) => spec?.timeZone ?? '<none>',
    },
    {
      name: 'Suspend',
      type: 'boolean',
      description: 'No further jobs are made.',
      value: ({ spec }) => (spec?.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False'),
    },
    {
      name: 'Active',
      type: 'integer',
      description: 'How many of its jobs run.',
      value: ({ status }) => status?.active?.length ?? 0,
    },
    {
      name: 'Last Schedule',
      type: 'string',
      description: 'Time since a job was last due.',
      value: ({ status }, nowMs) => (status?.lastScheduleTime ? age(status.lastScheduleTime, nowMs) : '<none>'),
    },
    ageColumn,
    ...templateColumns<StoredCronJob>(({ spec }) => spec?.jobTemplate.spec?.template),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Labels of the pods that count.',
      value: ({ spec }) => formatLabelSelector(spec?.jobTemplate.spec?.selector),
    },
  ],
})

/** Decoded objects may lack what the types say they have. */
const specOf = ({ spec }: StoredCronJob): CronJobSpec => spec ?? ({} as CronJobSpec)

function validateSpec(errors: FieldError[], spec: CronJobSpec, old: CronJobSpec | undefined): void {
  if (!spec.schedule) errors.push(required('spec.schedule'))
  else validateSchedule(errors, spec, old)
  checkNonNegative(errors, spec.startingDeadlineSeconds, 'spec', 'startingDeadlineSeconds')
  if (spec.timeZone !== undefined && spec.timeZone !== old?.timeZone) validateTimeZone(errors, spec.timeZone)
  checkRequiredChoice(errors, spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy')
  const jobSpec = spec.jobTemplate.spec!
  const path = 'spec.jobTemplate.spec'
  validateJobContent(errors, jobSpec, path, podValidationOptions(false, old?.jobTemplate.spec?.template))
  if (jobSpec.selector) {
    errors.push(invalid(`${path}.selector`, jobSpec.selector, '`selector` will be auto-generated'))
  }
  if (jobSpec.manualSelector) errors.push(notSupported(`${path}.manualSelector`, true, ['nil', 'false']))
  checkNonNegative(errors, spec.successfulJobsHistoryLimit, 'spec', 'successfulJobsHistoryLimit')
  checkNonNegative(errors, spec.failedJobsHistoryLimit, 'spec', 'failedJobsHistoryLimit')
}

function validateSchedule(
  errors: FieldError[],
  { schedule, timeZone }: CronJobSpec,
  old: CronJobSpec | undefined,
): void {
  const path = 'spec.schedule'
  try {
    parseCronSchedule(schedule)
  } catch (error) {
    errors.push(invalid(path, schedule, (error as Error).message))
  }
  if (!schedule.includes('TZ')) return
  // A zone in the schedule was accepted once; such objects stay writable.
  if (!old?.schedule.includes('TZ')) {
    errors.push(invalid(path, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'))
  } else if (timeZone !== undefined) {
    errors.push(invalid(path, schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'))
  }
}

const zonePart = /^[A-Za-z.\-_0-9+]{1,14}$/

function validateTimeZone(errors: FieldError[], zone: string): void {
  const path = 'spec.timeZone'
  const unknown = invalid(path, zone, `unknown time zone ${zone}`)
  if (zone === '') errors.push(invalid(path, zone, 'timeZone must be nil or non-empty string'))
  else if (
    zone.split('/').some((part) => part === '.' || part === '..' || part.startsWith('-') || !zonePart.test(part))
  ) {
    errors.push(unknown)
  } else {
    if (zone.toLowerCase() === 'local') {
      const rule = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'
      errors.push(invalid(path, zone, rule))
    }
    if (!isTimeZone(zone)) errors.push(unknown)
  }
}
