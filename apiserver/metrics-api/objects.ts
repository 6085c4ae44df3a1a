import type { Node, Pod } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { formatQuantity } from '../../api/machinery/quantity.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { NodeMetrics } from '../../api/metrics/nodemetrics.ts'
import type { PodMetrics } from '../../api/metrics/podmetrics.ts'
import type { Usage as UsageQuantities } from '../../api/metrics/usage.ts'
import type { NodeUsage, Usage } from './rates.ts'

const apiVersion = 'metrics.k8s.io/v1beta1'

/** What a node uses, as its object; undefined while that is not known. */
export function nodeMetricsOf({ metadata }: Stored<Node>, { node }: NodeUsage, nowMs: number): NodeMetrics | undefined {
  if (!node) return undefined
  const { name, labels } = metadata
  return {
    kind: 'NodeMetrics',
    apiVersion,
    metadata: { name: name ?? '', creationTimestamp: formatTime(nowMs), ...(labels ? { labels } : {}) },
    ...measuredAt([node]),
    usage: quantities(node),
  }
}

/** What a pod uses, as its object; undefined while that is not known. */
export function podMetricsOf({ metadata }: Stored<Pod>, { pods }: NodeUsage, nowMs: number): PodMetrics | undefined {
  const { name = '', namespace = '', labels } = metadata
  const containers = pods.get(`${namespace}/${name}`)
  if (!containers || containers.size === 0) return undefined
  return {
    kind: 'PodMetrics',
    apiVersion,
    metadata: { name, namespace, creationTimestamp: formatTime(nowMs), ...(labels ? { labels } : {}) },
    ...measuredAt([...containers.values()]),
    containers: [...containers]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([container, usage]) => ({ name: container, usage: quantities(usage) })),
  }
}

/** When the oldest was measured, over the longest window. */
const measuredAt = (usages: readonly Usage[]): { timestamp: string; window: string } => ({
  timestamp: formatTime(Math.min(...usages.map(({ timeMs }) => timeMs))),
  window: `${Math.round(Math.max(...usages.map(({ windowMs }) => windowMs))) / 1000}s`,
})

const quantities = ({ cpuCores, memoryBytes }: Usage): UsageQuantities => ({
  cpu: formatQuantity({ nanos: BigInt(Math.round(cpuCores * 1e9)), format: 'DecimalSI' }),
  memory: formatQuantity({ nanos: BigInt(Math.round(memoryBytes)) * 1_000_000_000n, format: 'BinarySI' }),
})
