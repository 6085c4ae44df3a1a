import { selectorHasInvalidValue } from '../core/pod-spec/affinity.ts'
import { defaultPodTemplate } from '../core/pod-spec/defaults.ts'
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts'
import { templateColumns } from '../core/pod-spec/template-columns.ts'
import { podValidationOptions } from '../core/pod-spec/tolerance.ts'
import { podTemplateWarnings } from '../core/pod-spec/warnings.ts'
import { workloadNameWarnings } from '../core/pod-spec/workload-name.ts'
import type { Job, JobSpec, PodTemplateSpec } from '../generated/types.ts'
import { type FieldError, invalid } from '../machinery/field-errors.ts'
import { immutable, semanticEqual } from '../machinery/field-rules.ts'
import { formatLabelSelector } from '../machinery/labels.ts'
import { isDNS1123Label } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { humanDuration } from '../machinery/print.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { hasJobCondition, validateJobStatus } from './job-status.ts'
import {
  controllerUidLabel,
  jobNameLabel,
  legacyControllerUidLabel,
  legacyJobNameLabel,
  validateGeneratedSelector,
  validateJobSpec,
} from './job-validation.ts'

type StoredJob = Stored<Job>

export const jobs = defineResource<StoredJob>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.batch.v1.Job'),
  defaults: (job) => {
    const spec = specOf(job)
    job.spec = spec
    spec.template ??= {}
    defaultPodTemplate(spec.template)
    if (spec.parallelism === undefined) {
      spec.completions ??= 1
      spec.parallelism = 1
    }
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : maxInt32
    spec.completionMode ??= 'NonIndexed'
    spec.suspend ??= false
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
    spec.manualSelector ??= false
    defaultFailurePolicy(spec)
    const labels = spec.template.metadata?.labels
    // The same map on purpose, as upstream has it: labels that creation adds to the template are the job's as well.
    if (labels && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = labels
  },
  validate: (job, old) => {
    const errors: FieldError[] = []
    const spec = specOf(job)
    const oldLabels = old?.spec?.template.metadata?.labels
    const prefixed = !old || (oldLabels?.[jobNameLabel] !== undefined && oldLabels[controllerUidLabel] !== undefined)
    validateGeneratedSelector(errors, job.metadata, spec, prefixed)
    validateJobSpec(errors, spec, {
      ...podValidationOptions(false, old?.spec?.template),
      allowInvalidSelector: selectorHasInvalidValue(old?.spec?.selector),
    })
    checkHostnames(errors, job.metadata.name ?? '', spec)
    if (old) validateUpdate(errors, spec, old)
    return errors
  },
  validateStatus: (job, old) => validateJobStatus(job, old as StoredJob),
  warnings: (job, old) => {
    if (old && job.metadata.generation === old.metadata.generation) return []
    const found = jobSpecWarnings(specOf(job), 'spec')
    return old ? found : [...workloadNameWarnings(job.metadata.name), ...found]
  },
  strategy: {
    status: true,
    generation: 'spec',
    defaultPropagation: 'Orphan',
    prepareForCreate: (job) => {
      if (!job.spec?.manualSelector) generateSelector(job)
      dropDisabledFields(job.spec?.template.spec)
    },
    prepareForUpdate: (job) => dropDisabledFields(job.spec?.template.spec),
  },
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', description: 'Status of the job.', value: statusOf },
    {
      name: 'Completions',
      type: 'string',
      description: 'Pods that succeeded, of those that shall.',
      value: ({ spec, status }) => {
        const succeeded = status?.succeeded ?? 0
        if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`
        const parallelism = spec?.parallelism ?? 0
        return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
      },
    },
    {
      name: 'Duration',
      type: 'string',
      description: 'Time required to complete the job.',
      value: ({ status }, nowMs) => {
        if (!status?.startTime) return ''
        const endMs = status.completionTime ? Date.parse(status.completionTime) : nowMs
        return humanDuration(endMs - Date.parse(status.startTime))
      },
    },
    ageColumn,
    ...templateColumns<StoredJob>(({ spec }) => spec?.template),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Labels of the pods that count.',
      value: ({ spec }) => formatLabelSelector(spec?.selector),
    },
  ],
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
})

const maxInt32 = 2147483647
const manyCompletions = 100_000
const highParallelism = 10_000

/** Decoded objects may lack what the types say they have. */
const specOf = ({ spec }: StoredJob): JobSpec => spec ?? ({} as JobSpec)

/** A condition named without a status must be true. */
export function defaultFailurePolicy({ podFailurePolicy }: JobSpec): void {
  for (const { onPodConditions } of podFailurePolicy?.rules ?? []) {
    for (const pattern of onPodConditions ?? []) pattern.status ||= 'True'
  }
}

/** Warnings on the spec of a job or of a cron job's template; `path` is the spec's. */
export function jobSpecWarnings(spec: JobSpec, path: string): string[] {
  const warnings = podTemplateWarnings(spec.template, `${path}.template`)
  const { completionMode, completions = 0, parallelism = 0 } = spec
  if (completionMode !== 'Indexed' || completions <= manyCompletions || parallelism <= highParallelism) return warnings
  const text =
    'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail'
  return [`${path}: ${text}`, ...warnings]
}

function generateSelector(job: StoredJob): void {
  const spec = specOf(job)
  const uid = job.metadata.uid ?? ''
  const name = job.metadata.name ?? ''
  spec.template.metadata ??= {}
  const { metadata } = spec.template
  const shared = metadata.labels === undefined || metadata.labels === job.metadata.labels
  metadata.labels ??= {}
  metadata.labels[legacyJobNameLabel] ??= name
  metadata.labels[jobNameLabel] ??= name
  metadata.labels[legacyControllerUidLabel] ??= uid
  metadata.labels[controllerUidLabel] ??= uid
  if (shared && (metadata.labels === job.metadata.labels || !job.metadata.labels)) {
    job.metadata.labels = { ...metadata.labels }
  }
  spec.selector ??= {}
  spec.selector.matchLabels ??= {}
  spec.selector.matchLabels[controllerUidLabel] ??= uid
}

/** Pods of an indexed job are named after it: the longest name must still be a hostname. */
function checkHostnames(errors: FieldError[], name: string, { completionMode, completions = 0 }: JobSpec): void {
  if (completionMode !== 'Indexed' || completions <= 0) return
  const longest = `${name}-${completions - 1}`
  if (isDNS1123Label(longest).length === 0) return
  errors.push(invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${longest}`))
}

const immutableFields = [
  'selector',
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const

function validateUpdate(errors: FieldError[], spec: JobSpec, old: StoredJob): void {
  const before = specOf(old)
  for (const field of immutableFields) errors.push(...immutable(spec[field], before[field], `spec.${field}`))
  if (spec.completionMode !== 'Indexed') {
    errors.push(...immutable(spec.completions, before.completions, 'spec.completions'))
  } else if (
    spec.completions !== undefined &&
    spec.completions !== before.completions &&
    spec.completions !== spec.parallelism
  ) {
    errors.push(invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism'))
  }
  // While nothing of the job runs, where and with how much its pods will run is still open.
  const isOpen =
    before.suspend === true &&
    (old.status?.startTime === undefined || hasJobCondition(old, 'Suspended')) &&
    (old.status?.active ?? 0) === 0
  if (!isOpen) {
    errors.push(...immutable(spec.template, before.template, 'spec.template'))
    return
  }
  const allowed = withOpenFieldsOf(before.template, spec.template)
  errors.push(...immutable(spec.template.spec, allowed.spec, 'spec.template.spec'))
}

/** The old template with what a suspended job may change taken from the new one. */
function withOpenFieldsOf(old: PodTemplateSpec, now: PodTemplateSpec): PodTemplateSpec {
  const template = structuredClone(old)
  const { spec } = template
  if (!spec || !now.spec) return template
  for (const field of ['nodeSelector', 'tolerations', 'schedulingGates'] as const) {
    Object.assign(spec, { [field]: now.spec[field] })
  }
  const affinity = { ...spec.affinity, nodeAffinity: now.spec.affinity?.nodeAffinity }
  if (semanticEqual(affinity, {}) || Object.values(affinity).every((part) => part === undefined)) delete spec.affinity
  else Object.assign(spec, { affinity })
  for (const list of ['containers', 'initContainers'] as const) {
    const containers = now.spec[list] ?? []
    if (containers.length !== (spec[list]?.length ?? 0)) continue
    for (const [i, container] of (spec[list] ?? []).entries()) {
      if (container.name === containers[i]?.name) Object.assign(container, { resources: containers[i].resources })
    }
  }
  return template
}

function statusOf(job: StoredJob): string {
  if (hasJobCondition(job, 'Complete')) return 'Complete'
  if (hasJobCondition(job, 'Failed')) return 'Failed'
  if (job.metadata.deletionTimestamp) return 'Terminating'
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet']) if (hasJobCondition(job, type)) return type
  return 'Running'
}
