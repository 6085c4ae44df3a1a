import type { MetricIdentifier, V2CrossVersionObjectReference } from '../../api/generated/types.ts'
import { parseDuration } from '../../api/machinery/duration.ts'
import { formatSelectorString } from '../../api/machinery/labels.ts'
import { quantityMilli } from '../../api/machinery/quantity.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Api } from '../../client/types.ts'
import type { Kinds } from './kinds.ts'
import type { PodSample, PodSamples } from './types.ts'

/** Where an autoscaler's numbers come from. Each throws an Error that says what could not be read. */
export interface MetricsReader {
  /** Of each pod, or of one container in each. */
  resource(
    at: { namespace: string; selector: string },
    resource: string,
    container: string | undefined,
    signal: AbortSignal,
  ): Promise<PodSamples>
  pods(at: { namespace: string; selector: string }, metric: MetricIdentifier, signal: AbortSignal): Promise<PodSamples>
  /** In thousandths. */
  object(
    namespace: string,
    object: V2CrossVersionObjectReference,
    metric: MetricIdentifier,
    signal: AbortSignal,
  ): Promise<number>
  /** The sum of all series that the selector selects, in thousandths. */
  external(namespace: string, metric: MetricIdentifier, signal: AbortSignal): Promise<number>
}

interface PodMetrics {
  metadata: { name: string }
  timestamp: string
  window: string
  containers: { name: string; usage: Record<string, string> }[]
}

interface CustomValue {
  describedObject: { name: string }
  timestamp: string
  windowSeconds?: number
  value: string
}

/** Upstream's guess for a metric that does not tell its window. */
const usualWindowMs = 60_000

/** Reads the three metrics APIs, which our own server or any other may serve. */
export function newMetricsReader(api: Api, kinds: Kinds): MetricsReader {
  const itemsOf = async <T>(what: string, path: string, query: Record<string, string>, signal: AbortSignal) => {
    let items: T[]
    try {
      items = (await api.read<{ items?: T[] }>(path, { query, signal })).items ?? []
    } catch (error) {
      throw new Error(`unable to fetch metrics from ${what} API: ${(error as Error).message}`)
    }
    if (items.length === 0) throw new Error(`no metrics returned from ${what} API`)
    return items
  }
  return {
    async resource({ namespace, selector }, resource, container, signal) {
      const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${encodeURIComponent(namespace)}/pods`
      const items = await itemsOf<PodMetrics>('resource metrics', path, { labelSelector: selector }, signal)
      return new Map(
        items.flatMap((item): [string, PodSample][] => {
          const milli = usageOf(item, resource, container)
          return milli === undefined ? [] : [[item.metadata.name, sampleOf(item, parseDuration(item.window), milli)]]
        }),
      )
    },
    async pods({ namespace, selector }, metric, signal) {
      const path = `${custom}/namespaces/${encodeURIComponent(namespace)}/pods/*/${encodeURIComponent(metric.name)}`
      const query = { labelSelector: selector, ...metricSelector('metricLabelSelector', metric) }
      const items = await itemsOf<CustomValue>('custom metrics', path, query, signal)
      return new Map(
        items.map((item) => {
          const windowMs = item.windowSeconds === undefined ? usualWindowMs : item.windowSeconds * 1000
          return [item.describedObject.name, sampleOf(item, windowMs, quantityMilli(item.value))]
        }),
      )
    },
    async object(namespace, object, metric, signal) {
      const path = `${custom}/namespaces/${encodeURIComponent(namespace)}/${await objectPath(kinds, object, signal)}`
      const query = metricSelector('metricLabelSelector', metric)
      const items = await itemsOf<CustomValue>(
        'custom metrics',
        `${path}/${encodeURIComponent(metric.name)}`,
        query,
        signal,
      )
      if (items.length > 1) {
        throw new Error(`the custom metrics API server returned ${items.length} results when we asked for exactly one`)
      }
      return quantityMilli((items[0] as CustomValue).value)
    },
    async external(namespace, metric, signal) {
      const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${encodeURIComponent(namespace)}/${encodeURIComponent(metric.name)}`
      const query = metricSelector('labelSelector', metric)
      const items = await itemsOf<{ value: string }>('external metrics', path, query, signal)
      return items.reduce((total, { value }) => total + quantityMilli(value), 0)
    },
  }
}

const custom = '/apis/custom.metrics.k8s.io/v1beta2'

/** Undefined for a pod of which not everything is known. */
function usageOf({ containers }: PodMetrics, resource: string, container: string | undefined): number | undefined {
  const counted = container === undefined ? containers : containers.filter(({ name }) => name === container)
  if (counted.length === 0) return undefined
  let total = 0
  for (const { usage } of counted) {
    const used = usage[resource]
    if (used === undefined) return undefined
    total += quantityMilli(used)
  }
  return total
}

const sampleOf = ({ timestamp }: { timestamp: string }, windowMs: number | undefined, milli: number): PodSample => ({
  milli,
  timestampMs: parseTime(timestamp) ?? 0,
  windowMs: windowMs ?? usualWindowMs,
})

function metricSelector(parameter: string, { selector }: MetricIdentifier): Record<string, string> {
  const text = formatSelectorString(selector)
  return text === '' ? {} : { [parameter]: text }
}

/** A namespace is the one that the autoscaler is in, whatever its name. */
async function objectPath(
  kinds: Kinds,
  { apiVersion = '', kind, name }: V2CrossVersionObjectReference,
  signal: AbortSignal,
): Promise<string> {
  if (kind === 'Namespace' && !apiVersion.includes('/')) return 'metrics'
  const [ref] = await kinds.resourcesOf(apiVersion, kind, signal)
  if (!ref) throw new Error(`no matches for kind ${JSON.stringify(kind)}`)
  const resource = ref.group === '' ? ref.plural : `${ref.plural}.${ref.group}`
  return `${encodeURIComponent(resource)}/${encodeURIComponent(name)}`
}
