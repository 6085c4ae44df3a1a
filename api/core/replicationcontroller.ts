import type { ReplicationController, ReplicationControllerSpec } from '../generated/types.ts'
import { type FieldError, invalid, required } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { checkNonNegative } from './pod-spec/checks.ts'
import { defaultPodTemplate } from './pod-spec/defaults.ts'
import { dropDisabledFields } from './pod-spec/disabled-fields.ts'
import { validatePodTemplateSpec, validateSelectorFindsTemplate } from './pod-spec/template.ts'
import { formatLabels, templateColumns } from './pod-spec/template-columns.ts'
import { podValidationOptions } from './pod-spec/tolerance.ts'
import { validateRunsForEver } from './pod-spec/validation.ts'
import { podTemplateWarnings } from './pod-spec/warnings.ts'
import { workloadNameWarnings } from './pod-spec/workload-name.ts'
import { validateAvailableAreReady, validateReplicaCounts } from './replica-counts.ts'

type StoredController = Stored<ReplicationController>

export const replicationControllers = defineResource<StoredController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  // Upstream's place for them in the store.
  storagePrefix: '/controllers',
  schema: builtinSchema('io.k8s.api.core.v1.ReplicationController'),
  defaults: (controller) => {
    controller.spec ??= {}
    const { spec } = controller
    spec.replicas ??= 1
    if (!spec.template) return
    defaultPodTemplate(spec.template)
    const labels = spec.template.metadata?.labels
    if (!labels) return
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
    if (Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels }
  },
  validate: (controller, old) => {
    const errors: FieldError[] = []
    validateSpec(errors, controller.spec ?? {}, old?.spec)
    return errors
  },
  validateStatus: ({ status }) => {
    const errors: FieldError[] = []
    validateReplicaCounts(errors, status, 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas')
    validateAvailableAreReady(errors, status)
    return errors
  },
  warnings: (controller, old) => {
    if (old && controller.metadata.generation === old.metadata.generation) return []
    const warnings = podTemplateWarnings(controller.spec?.template, 'spec.template')
    return old ? warnings : [...workloadNameWarnings(controller.metadata.name), ...warnings]
  },
  strategy: {
    status: true,
    generation: 'spec',
    defaultPropagation: 'Orphan',
    prepareForCreate: (controller) => dropDisabledFields(controller.spec?.template?.spec),
    prepareForUpdate: (controller) => dropDisabledFields(controller.spec?.template?.spec),
  },
  columns: [
    nameColumn,
    {
      name: 'Desired',
      type: 'integer',
      description: 'How many pods there shall be.',
      value: (controller) => controller.spec?.replicas ?? 0,
    },
    {
      name: 'Current',
      type: 'integer',
      description: 'How many pods there are.',
      value: (controller) => controller.status?.replicas ?? 0,
    },
    {
      name: 'Ready',
      type: 'integer',
      description: 'How many pods are ready.',
      value: (controller) => controller.status?.readyReplicas ?? 0,
    },
    ageColumn,
    ...templateColumns<StoredController>((controller) => controller.spec?.template),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Labels of the pods that count.',
      value: (controller) => formatLabels(controller.spec?.selector),
    },
  ],
  selectableFields: { 'status.replicas': (controller) => String(controller.status?.replicas ?? 0) },
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})

function validateSpec(
  errors: FieldError[],
  spec: ReplicationControllerSpec,
  old: ReplicationControllerSpec | undefined,
): void {
  checkNonNegative(errors, spec.minReadySeconds, 'spec', 'minReadySeconds')
  const selector = spec.selector ?? {}
  if (Object.keys(selector).length === 0) errors.push(required('spec.selector'))
  if (spec.replicas === undefined) errors.push(required('spec.replicas'))
  else if (spec.replicas < 0) {
    errors.push(invalid('spec.replicas', spec.replicas, 'must be greater than or equal to 0'))
  }
  const { template } = spec
  if (!template) {
    errors.push(required('spec.template'))
    return
  }
  validateSelectorFindsTemplate(errors, { matchLabels: selector }, template, 'spec.template')
  validatePodTemplateSpec(errors, template, 'spec.template', podValidationOptions(false, old?.template))
  validateRunsForEver(errors, template.spec ?? { containers: [] }, 'ReplicationController', 'spec.template')
}
