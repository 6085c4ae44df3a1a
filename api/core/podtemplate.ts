import type { PodTemplate, PodTemplateSpec } from '../generated/types.ts'
import type { FieldError } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { defaultPodTemplate } from './pod-spec/defaults.ts'
import { dropDisabledFields } from './pod-spec/disabled-fields.ts'
import { validatePodTemplateSpec } from './pod-spec/template.ts'
import { formatLabels, templateColumns } from './pod-spec/template-columns.ts'
import { podValidationOptions } from './pod-spec/tolerance.ts'
import { podTemplateWarnings } from './pod-spec/warnings.ts'

type StoredPodTemplate = Stored<PodTemplate>

export const podTemplates = defineResource<StoredPodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.core.v1.PodTemplate'),
  defaults: (object) => {
    object.template ??= {}
    defaultPodTemplate(object.template)
  },
  validate: (object, old) => {
    const errors: FieldError[] = []
    const options = podValidationOptions(false, old?.template)
    validatePodTemplateSpec(errors, object.template as PodTemplateSpec, 'template', options)
    return errors
  },
  warnings: (object, old) =>
    old && object.metadata.generation === old.metadata.generation
      ? []
      : podTemplateWarnings(object.template, 'template'),
  strategy: {
    generation: 'outsideMetadata',
    returnDeleted: true,
    prepareForCreate: (object) => dropDisabledFields(object.template?.spec),
    prepareForUpdate: (object) => dropDisabledFields(object.template?.spec),
  },
  columns: [
    nameColumn,
    ...templateColumns<StoredPodTemplate>((object) => object.template, 0),
    {
      name: 'Pod Labels',
      type: 'string',
      description: 'The labels for the pod template.',
      value: (object) => formatLabels(object.template?.metadata?.labels),
    },
  ],
})
