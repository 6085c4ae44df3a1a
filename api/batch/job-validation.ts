import { addInvalid, checkChoice, checkNonNegative } from '../core/pod-spec/checks.ts'
import type { PodValidationOptions } from '../core/pod-spec/options.ts'
import { isEmptySelector, validatePodTemplateSpec, validateSelectorFindsTemplate } from '../core/pod-spec/template.ts'
import type { JobSpec, LabelSelector, ObjectMeta, PodTemplateSpec } from '../generated/types.ts'
import { type FieldError, invalid, notSupported, required, tooLong } from '../machinery/field-errors.ts'
import { validateLabelSelector } from '../machinery/labels.ts'
import { isDomainPrefixedPath } from '../machinery/names.ts'
import { validatePodFailurePolicy, validateSuccessPolicy } from './job-policies.ts'

export const controllerUidLabel = 'batch.kubernetes.io/controller-uid'
export const jobNameLabel = 'batch.kubernetes.io/job-name'
/** The same from before labels had prefixes; both are always set. */
export const legacyControllerUidLabel = 'controller-uid'
export const legacyJobNameLabel = 'job-name'

const maxIndexedParallelism = 100_000
const maxFailedIndexes = 100_000
/** Above this many completions, failures by index need tighter bounds. */
const manyCompletions = 100_000
const maxParallelismForMany = 10_000
const maxFailedIndexesForMany = 10_000
const maxManagedByBytes = 63

const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const

/** What holds for the spec of a job and of a cron job's template. `path` is the spec's. */
export function validateJobContent(
  errors: FieldError[],
  spec: JobSpec,
  path: string,
  options: PodValidationOptions,
): void {
  for (const name of counts) checkNonNegative(errors, spec[name], path, name)
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  }
  const { managedBy, completionMode = 'NonIndexed' } = spec
  if (managedBy !== undefined) {
    if (managedBy === '') errors.push(required(`${path}.managedBy`))
    else addInvalid(errors, `${path}.managedBy`, managedBy, isDomainPrefixedPath(managedBy))
    if (Buffer.byteLength(managedBy) > maxManagedByBytes) errors.push(tooLong(`${path}.managedBy`, maxManagedByBytes))
  }
  checkChoice(errors, spec.completionMode, ['NonIndexed', 'Indexed'], `${path}.completionMode`)
  if (completionMode === 'Indexed') validateIndexed(errors, spec, path)
  else if (completionMode === 'NonIndexed') {
    for (const name of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[name] !== undefined) {
        errors.push(invalid(`${path}.${name}`, spec[name], 'requires indexed completion mode'))
      }
    }
  }
  if (spec.podFailurePolicy) validatePodFailurePolicy(errors, spec, `${path}.podFailurePolicy`)
  if (spec.successPolicy) {
    if (completionMode === 'Indexed') validateSuccessPolicy(errors, spec, `${path}.successPolicy`)
    else errors.push(invalid(`${path}.successPolicy`, spec.successPolicy, 'requires indexed completion mode'))
  }
  const replacements = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  checkChoice(errors, spec.podReplacementPolicy, replacements, `${path}.podReplacementPolicy`)
  validatePodTemplateSpec(errors, spec.template, `${path}.template`, options)
  validateRestartPolicy(errors, spec, `${path}.template.spec.restartPolicy`)
}

/** The same and the selector, of a job itself. */
export function validateJobSpec(
  errors: FieldError[],
  spec: JobSpec,
  options: PodValidationOptions & { allowInvalidSelector?: boolean },
): void {
  validateJobContent(errors, spec, 'spec', options)
  const { selector } = spec
  if (!selector) {
    errors.push(required('spec.selector'))
    return
  }
  const allowInvalidLabelValue = options.allowInvalidSelectorValues || options.allowInvalidSelector === true
  const faults = validateLabelSelector(selector, 'spec.selector', { allowInvalidLabelValue })
  errors.push(...faults)
  if (faults.length === 0) validateSelectorFindsTemplate(errors, selector, spec.template, 'spec.template')
}

/**
 * The labels and the selector that tell this job's pods from all others, unless the user took that on. The prefixed
 * labels are asked for when `prefixed`: jobs from before they existed go without.
 */
export function validateGeneratedSelector(
  errors: FieldError[],
  meta: ObjectMeta,
  spec: JobSpec,
  prefixed: boolean,
): void {
  const { selector, manualSelector, template } = spec
  if (manualSelector || !selector) return
  const uid = meta.uid ?? ''
  const name = meta.name ?? ''
  if (!uid) errors.push(required('metadata.uid'))
  const expected: Record<string, string> = { [legacyControllerUidLabel]: uid, [legacyJobNameLabel]: name }
  if (prefixed) Object.assign(expected, { [controllerUidLabel]: uid, [jobNameLabel]: name })
  for (const [label, value] of Object.entries(expected)) checkLabel(errors, template, label, value)
  if (validateLabelSelector(selector, '').length === 0 && !selects(selector, expected)) {
    errors.push(invalid('spec.selector', selector, '`selector` not auto-generated'))
  }
}

function checkLabel(errors: FieldError[], template: PodTemplateSpec, label: string, value: string): void {
  const labels = template.metadata?.labels
  const path = `spec.template.metadata.labels[${label}]`
  if (labels?.[label] === undefined) errors.push(required(path, `must be '${value}'`))
  else if (labels[label] !== value) errors.push(invalid(path, labels, `must be '${value}'`))
}

function selects(selector: LabelSelector, labels: Record<string, string>): boolean {
  const faults: FieldError[] = []
  validateSelectorFindsTemplate(faults, selector, { metadata: { labels } }, '')
  return faults.length === 0 || isEmptySelector(selector)
}

function validateIndexed(errors: FieldError[], spec: JobSpec, path: string): void {
  const { completions, parallelism, maxFailedIndexes: maxFailed } = spec
  const atMost = (name: string, value: number, bound: number, where = '') =>
    errors.push(invalid(`${path}.${name}`, value, `must be less than or equal to ${bound}${where}`))
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'))
  if (parallelism !== undefined && parallelism > maxIndexedParallelism) {
    atMost('parallelism', parallelism, maxIndexedParallelism, ' when completion mode is Indexed')
  }
  if (maxFailed !== undefined) {
    if (completions !== undefined && maxFailed > completions) {
      errors.push(invalid(`${path}.maxFailedIndexes`, maxFailed, 'must be less than or equal to completions'))
    }
    if (maxFailed > maxFailedIndexes) atMost('maxFailedIndexes', maxFailed, maxFailedIndexes)
  }
  if (completions === undefined || completions <= manyCompletions || spec.backoffLimitPerIndex === undefined) return
  const where = ` when completions are above ${manyCompletions} and used with backoff limit per index`
  if (maxFailed === undefined) {
    const rule = `must be specified when completions is above ${manyCompletions}`
    errors.push(required(`${path}.maxFailedIndexes`, rule))
  } else if (maxFailed > maxFailedIndexesForMany) {
    atMost('maxFailedIndexes', maxFailed, maxFailedIndexesForMany, where)
  }
  if (parallelism !== undefined && parallelism > maxParallelismForMany) {
    atMost('parallelism', parallelism, maxParallelismForMany, where)
  }
}

function validateRestartPolicy(errors: FieldError[], spec: JobSpec, path: string): void {
  const policy = spec.template.spec?.restartPolicy
  if (!policy || policy === 'Always') errors.push(required(path, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never') {
    errors.push(notSupported(path, policy, ['OnFailure', 'Never']))
  } else if (spec.podFailurePolicy && policy !== 'Never') {
    errors.push(invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'))
  }
}
