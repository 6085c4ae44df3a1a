import type { CSIStorageCapacity } from '../generated/types.ts'
import { invalid } from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import { validateLabelSelector } from '../machinery/labels.ts'
import { nameIsDNSSubdomain } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { compareQuantity } from '../machinery/quantity.ts'
import { defineResource } from '../machinery/resource.ts'
import { nameColumn } from '../machinery/standard-columns.ts'
import { nodeSelectorWarnings } from '../node/deprecated-labels.ts'
import { builtinSchema } from '../schema/builtin.ts'

export const csiStorageCapacities = defineResource<Stored<CSIStorageCapacity>>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.storage.v1.CSIStorageCapacity'),
  validate: (report, old) => {
    const { storageClassName = '', capacity, nodeTopology } = report
    const allowInvalidLabelValue = validateLabelSelector(old?.nodeTopology, '').length > 0
    return [
      ...validateLabelSelector(nodeTopology, 'nodeTopology', { allowInvalidLabelValue }),
      ...nameIsDNSSubdomain(storageClassName, false).map((message) =>
        invalid('storageClassName', storageClassName, message),
      ),
      ...(capacity !== undefined && compareQuantity(capacity, '0') < 0
        ? [invalid('capacity', capacity, 'must be greater than or equal to 0')]
        : []),
      ...(old ? immutable(nodeTopology, old.nodeTopology, 'nodeTopology') : []),
      ...(old ? immutable(storageClassName, old.storageClassName ?? '', 'storageClassName') : []),
    ]
  },
  warnings: (report) => nodeSelectorWarnings(report.nodeTopology, 'nodeTopology'),
  strategy: { unconditionalUpdate: false },
  columns: [
    nameColumn,
    {
      name: 'StorageClassName',
      type: 'string',
      description: 'The class the capacity is of.',
      value: (report) => report.storageClassName ?? '',
    },
    {
      name: 'Capacity',
      type: 'string',
      description: 'How much is left.',
      value: (report) => report.capacity ?? '<unset>',
    },
  ],
})
