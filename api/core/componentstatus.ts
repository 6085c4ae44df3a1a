import type { ComponentCondition, ComponentStatus } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

export type ComponentStatusObject = Stored<ComponentStatus>

/** Made up when it is read, never stored; deprecated upstream since v1.19. */
export const componentStatuses = defineResource<ComponentStatusObject>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  singular: 'componentstatus',
  shortNames: ['cs'],
  namespaced: false,
  verbs: ['get', 'list'],
  schema: builtinSchema('io.k8s.api.core.v1.ComponentStatus'),
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      description: 'Whether the component is healthy.',
      value(component) {
        const condition = health(component)
        return !condition ? 'Unknown' : condition.status === 'True' ? 'Healthy' : 'Unhealthy'
      },
    },
    {
      name: 'Message',
      type: 'string',
      description: 'What the component said.',
      value: (component) => health(component)?.message ?? '',
    },
    {
      name: 'Error',
      type: 'string',
      description: 'Why it could not be asked.',
      value: (component) => health(component)?.error ?? '',
    },
  ],
})

const health = ({ conditions }: ComponentStatusObject): ComponentCondition | undefined =>
  conditions?.find(({ type }) => type === 'Healthy')
