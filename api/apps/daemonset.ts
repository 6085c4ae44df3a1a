import { selectorHasInvalidValue } from '../core/pod-spec/affinity.ts'
import { checkNonNegative } from '../core/pod-spec/checks.ts'
import { defaultPodTemplate } from '../core/pod-spec/defaults.ts'
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts'
import { isEmptySelector, validatePodTemplateSpec, validateSelectorFindsTemplate } from '../core/pod-spec/template.ts'
import { formatLabels, templateColumns } from '../core/pod-spec/template-columns.ts'
import { podValidationOptions } from '../core/pod-spec/tolerance.ts'
import { validateRunsForEver } from '../core/pod-spec/validation.ts'
import { podTemplateWarnings } from '../core/pod-spec/warnings.ts'
import { validateCollisionCount, validateReplicaCounts } from '../core/replica-counts.ts'
import type { DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy, LabelSelector } from '../generated/types.ts'
import { type FieldError, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { immutable, semanticEqual } from '../machinery/field-rules.ts'
import { isNotMoreThan100Percent, validatePositiveIntOrPercent } from '../machinery/int-or-string.ts'
import { formatLabelSelector, validateLabelSelector } from '../machinery/labels.ts'
import type { Stored } from '../machinery/object.ts'
import { type Column, defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { amountOf } from './rolling-update.ts'

type StoredDaemonSet = Stored<DaemonSet>

/** How often the template changed; a field of the first versions of the API, kept as an annotation. */
const templateGenerationAnnotation = 'deprecated.daemonset.template.generation'

const count = (
  name: string,
  field: keyof NonNullable<DaemonSet['status']>,
  description: string,
): Column<StoredDaemonSet> => ({
  name,
  type: 'integer',
  description,
  value: ({ status }) => Number(status?.[field] ?? 0),
})

export const daemonSets = defineResource<StoredDaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.apps.v1.DaemonSet'),
  defaults: (set) => {
    const spec = specOf(set)
    set.spec = spec
    spec.template ??= {}
    defaultPodTemplate(spec.template)
    spec.revisionHistoryLimit ??= 10
    spec.updateStrategy ??= {}
    spec.updateStrategy.type ||= 'RollingUpdate'
    if (spec.updateStrategy.type !== 'RollingUpdate') return
    spec.updateStrategy.rollingUpdate ??= {}
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0
  },
  validate: (set, old) => {
    const errors: FieldError[] = []
    const spec = specOf(set)
    if (old) errors.push(...immutable(spec.selector, old.spec?.selector, 'spec.selector'))
    validateSpec(errors, spec, old?.spec)
    return errors
  },
  validateStatus: ({ status }, old) => {
    const errors: FieldError[] = []
    validateReplicaCounts(errors, status as Record<string, number> | undefined)
    validateCollisionCount(errors, status?.collisionCount, old?.status?.collisionCount)
    return errors
  },
  warnings: (set, old) =>
    old && semanticEqual(set.spec?.template, old.spec?.template)
      ? []
      : podTemplateWarnings(set.spec?.template, 'spec.template'),
  strategy: {
    status: true,
    generation: 'spec',
    prepareForCreate: (set) => {
      dropDisabledFields(set.spec?.template?.spec)
      setTemplateGeneration(set, Math.max(templateGeneration(set), 1))
    },
    prepareForUpdate: (set, old) => {
      dropDisabledFields(set.spec?.template?.spec)
      const changed = !semanticEqual(set.spec?.template, old.spec?.template)
      setTemplateGeneration(set, templateGeneration(old) + (changed ? 1 : 0))
    },
  },
  columns: [
    nameColumn,
    count('Desired', 'desiredNumberScheduled', 'How many nodes shall run the pod.'),
    count('Current', 'currentNumberScheduled', 'How many nodes run the pod and shall.'),
    count('Ready', 'numberReady', 'How many nodes run the pod and have it ready.'),
    count('Up-to-date', 'updatedNumberScheduled', 'How many nodes run the pod of the current template.'),
    count('Available', 'numberAvailable', 'How many nodes have had the pod ready for long enough.'),
    {
      name: 'Node Selector',
      type: 'string',
      description: 'Labels of the nodes that run the pod.',
      value: ({ spec }) => formatLabels(spec?.template?.spec?.nodeSelector),
    },
    ageColumn,
    ...templateColumns<StoredDaemonSet>(({ spec }) => spec?.template),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Labels of the pods that count.',
      value: ({ spec }) => formatLabelSelector(spec?.selector),
    },
  ],
})

/** Decoded objects may lack what the types say they have. */
const specOf = ({ spec }: StoredDaemonSet): DaemonSetSpec => spec ?? ({} as DaemonSetSpec)

function templateGeneration({ metadata }: StoredDaemonSet): number {
  const generation = Number(metadata.annotations?.[templateGenerationAnnotation] ?? 0)
  return Number.isSafeInteger(generation) ? generation : 0
}

function setTemplateGeneration({ metadata }: StoredDaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [templateGenerationAnnotation]: String(generation) }
}

function validateSpec(errors: FieldError[], spec: DaemonSetSpec, old: DaemonSetSpec | undefined): void {
  const selector = spec.selector as LabelSelector | undefined
  const options = podValidationOptions(false, old?.template)
  if (selector) {
    const allowInvalidLabelValue = options.allowInvalidSelectorValues || selectorHasInvalidValue(old?.selector)
    const faults = validateLabelSelector(selector, 'spec.selector', { allowInvalidLabelValue })
    errors.push(...faults)
    if (faults.length === 0) validateSelectorFindsTemplate(errors, selector, spec.template, 'spec.template')
    if (isEmptySelector(selector)) {
      errors.push(invalid('spec.selector', selector, 'empty selector is invalid for daemonset'))
    }
  } else {
    // A set without a selector selects nothing, its own pods included.
    const rule = '`selector` does not match template `labels`'
    errors.push(invalid('spec.template.metadata.labels', spec.template.metadata?.labels, rule))
  }
  validatePodTemplateSpec(errors, spec.template, 'spec.template', options)
  validateRunsForEver(errors, spec.template.spec ?? { containers: [] }, 'DaemonSet', 'spec.template')
  checkNonNegative(errors, spec.minReadySeconds, 'spec', 'minReadySeconds')
  if (spec.updateStrategy) validateUpdateStrategy(errors, spec.updateStrategy)
  checkNonNegative(errors, spec.revisionHistoryLimit, 'spec', 'revisionHistoryLimit')
}

function validateUpdateStrategy(errors: FieldError[], strategy: DaemonSetUpdateStrategy): void {
  const { type, rollingUpdate } = strategy
  const path = 'spec.updateStrategy.rollingUpdate'
  if (type === 'OnDelete') return
  if (type !== 'RollingUpdate') {
    errors.push(notSupported('spec.updateStrategy', strategy, ['RollingUpdate', 'OnDelete']))
    return
  }
  if (!rollingUpdate) {
    errors.push(required(path))
    return
  }
  const { maxUnavailable, maxSurge } = rollingUpdate
  errors.push(
    ...validatePositiveIntOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...validatePositiveIntOrPercent(maxSurge, `${path}.maxSurge`),
    ...isNotMoreThan100Percent(maxUnavailable, `${path}.maxUnavailable`),
    ...isNotMoreThan100Percent(maxSurge, `${path}.maxSurge`),
  )
  if (amountOf(maxUnavailable) !== 0 && amountOf(maxSurge) !== 0) {
    errors.push(invalid(`${path}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  } else if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0) {
    errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  }
}
