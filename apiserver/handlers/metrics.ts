import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry as MetricsRegistry } from 'prom-client'
import type { RequestInfo } from './request-info.ts'

/** Upstream's bounds, in seconds. */
const durationBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]

export interface Gauges {
  watchers: () => Iterable<{ group: string; version: string; kind: string; count: number }>
  objects: () => Iterable<{ resource: string; count: number }>
  inflight: () => { readOnly: number; mutating: number }
  storeBytes: () => Promise<number>
}

/**
 * Counts requests under upstream's names. A request costs two additions: series are looked up once for each kind of
 * request and kept.
 */
export class RequestMetrics {
  readonly registry = new MetricsRegistry()
  readonly #requests = new Counter({
    name: 'apiserver_request_total',
    help: 'Requests by verb, group, version, resource, subresource, scope and HTTP status code.',
    labelNames: ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component', 'code'],
    registers: [this.registry],
  })
  readonly #durations = new Histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Response time by verb, group, version, resource, subresource and scope, in seconds.',
    labelNames: ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component'],
    buckets: durationBuckets,
    registers: [this.registry],
  })
  readonly #series = new Map<
    string,
    { requests: Counter.Internal; durations: Histogram.Internal<string> | undefined }
  >()

  constructor(gauges: Gauges) {
    collectDefaultMetrics({ register: this.registry })
    const { registry } = this
    new Gauge({
      name: 'apiserver_current_inflight_requests',
      help: 'Requests being served now, by kind.',
      labelNames: ['request_kind'],
      registers: [registry],
      collect() {
        const { readOnly, mutating } = gauges.inflight()
        this.set({ request_kind: 'readOnly' }, readOnly)
        this.set({ request_kind: 'mutating' }, mutating)
      },
    })
    new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches being served now.',
      labelNames: ['verb', 'group', 'version', 'resource'],
      registers: [registry],
      collect() {
        this.reset()
        for (const { group, version, kind, count } of gauges.watchers()) {
          this.set({ verb: 'WATCH', group, version, resource: kind }, count)
        }
      },
    })
    new Gauge({
      name: 'apiserver_storage_objects',
      help: 'Objects in the store, by resource.',
      labelNames: ['resource'],
      registers: [registry],
      collect() {
        for (const { resource, count } of gauges.objects()) this.set({ resource }, count)
      },
    })
    new Gauge({
      name: 'apiserver_storage_size_bytes',
      help: 'Size of the store on disk.',
      labelNames: ['storage_cluster_id'],
      registers: [registry],
      async collect() {
        this.set({ storage_cluster_id: 'storage-0' }, await gauges.storeBytes())
      },
    })
  }

  observe(info: RequestInfo, code: number, ms: number): void {
    const key = `${info.verb}|${info.group}|${info.version}|${info.resource}|${info.subresource}|${code}|${info.namespace === '' ? 'c' : info.name === '' ? 'n' : 'r'}|${info.query.has('dryRun')}`
    let series = this.#series.get(key)
    if (!series) {
      // Paths are the client's choice: a flood of them must not become a flood of series.
      if (this.#series.size > 5000) return
      const labels = labelsOf(info)
      series = {
        requests: this.#requests.labels({ ...labels, code: String(code) }),
        // A watch's length says nothing about the server.
        durations: info.verb === 'watch' ? undefined : this.#durations.labels(labels),
      }
      this.#series.set(key, series)
    }
    series.requests.inc()
    series.durations?.observe(ms / 1000)
  }

  /** The exposition text. */
  text(): Promise<string> {
    return this.registry.metrics()
  }
}

function labelsOf(info: RequestInfo): Record<string, string> {
  const verb =
    info.verb === 'list'
      ? 'LIST'
      : info.verb === 'watch'
        ? 'WATCH'
        : info.isResource
          ? upstreamVerb(info.verb)
          : info.method
  return {
    verb,
    dry_run: info.query.get('dryRun') ?? '',
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.isResource ? info.subresource : info.path.split('/', 2).join('/'),
    scope: !info.isResource ? '' : info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster',
    component: 'apiserver',
  }
}

function upstreamVerb(verb: string): string {
  const names: Record<string, string> = {
    create: 'POST',
    update: 'PUT',
    patch: 'PATCH',
    delete: 'DELETE',
    get: 'GET',
    deletecollection: 'DELETE',
  }
  return names[verb] ?? verb.toUpperCase()
}
