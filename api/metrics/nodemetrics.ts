import type { KubeObject } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { nameColumn } from '../machinery/standard-columns.ts'
import { cpuColumn, measured, memoryColumn, type Usage, usageSchema, windowColumn } from './usage.ts'

/** What is used of a node, by pods and all else. Measured when asked for, never stored. */
export interface NodeMetrics extends KubeObject {
  timestamp: string
  window: string
  usage?: Usage
}

export const nodeMetrics = defineResource<NodeMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'NodeMetrics',
  plural: 'nodes',
  namespaced: false,
  storagePrefix: '/metrics.k8s.io/nodes',
  schema: measured('io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics', ['usage', usageSchema]),
  verbs: ['get', 'list'],
  columns: [nameColumn, cpuColumn(({ usage }) => usage?.cpu), memoryColumn(({ usage }) => usage?.memory), windowColumn],
})
