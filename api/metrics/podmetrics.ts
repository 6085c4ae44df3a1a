import type { KubeObject } from '../machinery/object.ts'
import { addQuantity } from '../machinery/quantity.ts'
import { defineResource } from '../machinery/resource.ts'
import type { Schema } from '../machinery/schema.ts'
import { nameColumn } from '../machinery/standard-columns.ts'
import { cpuColumn, measured, memoryColumn, type Usage, usageSchema, windowColumn } from './usage.ts'

export interface ContainerMetrics {
  name: string
  usage?: Usage
}

/** What the containers of a pod use. Measured when asked for, never stored. */
export interface PodMetrics extends KubeObject {
  timestamp: string
  window: string
  containers?: ContainerMetrics[]
}

const container: Schema = {
  type: 'object',
  name: 'io.k8s.metrics.pkg.apis.metrics.v1beta1.ContainerMetrics',
  properties: new Map<string, Schema>([
    ['name', { type: 'string' }],
    ['usage', usageSchema],
  ]),
  required: ['name', 'usage'],
}

const total = ({ containers = [] }: PodMetrics, resource: keyof Usage): string =>
  containers.reduce((sum, { usage }) => addQuantity(sum, usage?.[resource] ?? '0'), '0')

export const podMetrics = defineResource<PodMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  namespaced: true,
  storagePrefix: '/metrics.k8s.io/pods',
  schema: measured('io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics', [
    'containers',
    { type: 'array', items: container, listType: 'atomic' },
  ]),
  verbs: ['get', 'list'],
  columns: [
    nameColumn,
    cpuColumn((pod) => total(pod, 'cpu')),
    memoryColumn((pod) => total(pod, 'memory')),
    windowColumn,
  ],
})
