import { checkNonNegative } from '../core/pod-spec/checks.ts'
import { defaultPodTemplate } from '../core/pod-spec/defaults.ts'
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts'
import {
  validatePodTemplateSpec,
  validateSelectorFindsTemplate,
  validateWorkloadSelector,
} from '../core/pod-spec/template.ts'
import { templateColumns } from '../core/pod-spec/template-columns.ts'
import { podValidationOptions } from '../core/pod-spec/tolerance.ts'
import { validateRunsForEver } from '../core/pod-spec/validation.ts'
import { podTemplateWarnings } from '../core/pod-spec/warnings.ts'
import { workloadNameWarnings } from '../core/pod-spec/workload-name.ts'
import { validateAvailableAreReady, validateReplicaCounts } from '../core/replica-counts.ts'
import type { LabelSelector, ReplicaSet, ReplicaSetSpec } from '../generated/types.ts'
import type { FieldError } from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import { formatLabelSelector } from '../machinery/labels.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

type StoredReplicaSet = Stored<ReplicaSet>

export const replicaSets = defineResource<StoredReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.apps.v1.ReplicaSet'),
  defaults: (set) => {
    const spec = specOf(set)
    set.spec = spec
    spec.replicas ??= 1
    spec.template ??= {}
    defaultPodTemplate(spec.template)
  },
  validate: (set, old) => {
    const errors: FieldError[] = []
    const spec = specOf(set)
    validateSpec(errors, spec, old?.spec)
    if (old) errors.push(...immutable(spec.selector, old.spec?.selector, 'spec.selector'))
    return errors
  },
  validateStatus: ({ status }) => {
    const errors: FieldError[] = []
    validateReplicaCounts(errors, status, 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas')
    validateAvailableAreReady(errors, status)
    return errors
  },
  warnings: (set, old) => {
    if (old && set.metadata.generation === old.metadata.generation) return []
    const warnings = podTemplateWarnings(set.spec?.template, 'spec.template')
    return old ? warnings : [...workloadNameWarnings(set.metadata.name), ...warnings]
  },
  strategy: {
    status: true,
    generation: 'spec',
    prepareForCreate: (set) => dropDisabledFields(set.spec?.template?.spec),
    prepareForUpdate: (set) => dropDisabledFields(set.spec?.template?.spec),
  },
  columns: [
    nameColumn,
    {
      name: 'Desired',
      type: 'integer',
      description: 'How many pods there shall be.',
      value: ({ spec }) => spec?.replicas ?? 0,
    },
    {
      name: 'Current',
      type: 'integer',
      description: 'How many pods there are.',
      value: ({ status }) => status?.replicas ?? 0,
    },
    {
      name: 'Ready',
      type: 'integer',
      description: 'How many pods are ready.',
      value: ({ status }) => status?.readyReplicas ?? 0,
    },
    ageColumn,
    ...templateColumns<StoredReplicaSet>(({ spec }) => spec?.template),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Labels of the pods that count.',
      value: ({ spec }) => formatLabelSelector(spec?.selector),
    },
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})

/** Decoded objects may lack what the types say they have. */
const specOf = ({ spec }: StoredReplicaSet): ReplicaSetSpec => spec ?? ({} as ReplicaSetSpec)

function validateSpec(errors: FieldError[], spec: ReplicaSetSpec, old: ReplicaSetSpec | undefined): void {
  checkNonNegative(errors, spec.replicas, 'spec', 'replicas')
  checkNonNegative(errors, spec.minReadySeconds, 'spec', 'minReadySeconds')
  const selector = spec.selector as LabelSelector | undefined
  const template = spec.template ?? {}
  // The word is upstream's: it says deployment here, too.
  if (validateWorkloadSelector(errors, selector, 'deployment', 'spec.selector')) {
    validateSelectorFindsTemplate(errors, spec.selector, template, 'spec.template')
  }
  validatePodTemplateSpec(errors, template, 'spec.template', podValidationOptions(false, old?.template))
  validateRunsForEver(errors, template.spec ?? { containers: [] }, 'ReplicaSet', 'spec.template')
}
