import type { VolumeAttributesClass } from '../generated/types.ts'
import { forbidden } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateParameters, validateProvisioner } from './parameters.ts'

export const volumeAttributesClasses = defineResource<Stored<VolumeAttributesClass>>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  shortNames: ['vac'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.storage.v1.VolumeAttributesClass'),
  validate: (attributes, old) => [
    ...(old && (attributes.driverName ?? '') !== (old.driverName ?? '')
      ? [forbidden('driverName', 'updates to driverName are forbidden.')]
      : []),
    ...(old && !semanticEqual(attributes.parameters, old.parameters)
      ? [forbidden('parameters', 'updates to parameters are forbidden.')]
      : []),
    ...validateProvisioner(attributes.driverName, 'driverName'),
    ...validateParameters(attributes.parameters, 'parameters', { allowEmpty: false }),
  ],
  strategy: { returnDeleted: true },
  columns: [
    nameColumn,
    {
      name: 'DriverName',
      type: 'string',
      description: 'Name of the CSI driver.',
      value: (attributes) => attributes.driverName ?? '',
    },
    ageColumn,
  ],
})
