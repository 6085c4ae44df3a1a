import type { ObjectMeta, ResourceClaimTemplate } from '../generated/types.ts'
import { child, type FieldError, forbidden } from '../machinery/field-errors.ts'
import { immutable, semanticEqual } from '../machinery/field-rules.ts'
import { validateLabels } from '../machinery/labels.ts'
import { validateAnnotations } from '../machinery/meta-validation.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { defaultDeviceClaim, validateDeviceClaim } from './device-requests.ts'

export const resourceClaimTemplates = defineResource<Stored<ResourceClaimTemplate>>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.resource.v1.ResourceClaimTemplate'),
  defaults: ({ spec }) => defaultDeviceClaim(spec?.spec?.devices),
  validate: ({ spec }, old) =>
    old
      ? immutable(spec, old.spec, 'spec')
      : [
          ...validateTemplateMetadata(spec?.metadata ?? {}, 'spec.metadata'),
          ...validateDeviceClaim(spec?.spec?.devices, 'spec.spec.devices'),
        ],
  strategy: { returnDeleted: true },
  columns: [nameColumn, ageColumn],
})

/** Of metadata, a template hands on labels and annotations. */
function validateTemplateMetadata({ annotations, labels, ...rest }: ObjectMeta, path: string): FieldError[] {
  return [
    ...validateAnnotations(annotations, child(path, 'annotations')),
    ...validateLabels(labels, child(path, 'labels')),
    ...Object.entries(rest).flatMap(([field, value]) =>
      value === '' || semanticEqual(value, undefined) ? [] : [forbidden(child(path, field), 'cannot be set')],
    ),
  ]
}
