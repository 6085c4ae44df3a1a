import { isExtendedResource } from '../core/resource-names.ts'
import type { DeviceClass } from '../generated/types.ts'
import { child, invalid } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { each } from './checks.ts'
import { maxConfigs, validateOpaque, validateSelectors } from './device-requests.ts'

export const deviceClasses = defineResource<Stored<DeviceClass>>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.resource.v1.DeviceClass'),
  validate: ({ spec }, old) => {
    const { selectors, config, extendedResourceName: name } = spec ?? {}
    const same = (value: unknown, before: unknown) => old !== undefined && semanticEqual(value, before)
    const stored = same(config, old?.spec?.config)
    return [
      ...validateSelectors(selectors, 'spec.selectors', { stored: same(selectors, old?.spec?.selectors) }),
      ...each(config, maxConfigs, 'spec.config', ({ opaque }, at) =>
        validateOpaque(opaque, child(at, 'opaque'), { stored }),
      ),
      ...(name === undefined || isExtendedResource(name)
        ? []
        : [invalid('spec.extendedResourceName', name, 'must be a valid extended resource name')]),
    ]
  },
  strategy: { generation: 'spec', returnDeleted: true },
  columns: [nameColumn, ageColumn],
})
