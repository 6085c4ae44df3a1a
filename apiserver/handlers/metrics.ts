import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry as MetricsRegistry } from 'prom-client'
import { serverVersion } from '../discovery/version.ts'
import type { RequestInfo } from './request-info.ts'
import type { Traffic } from './traffic.ts'

/** Upstream's bounds, in seconds. */
const durationBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]

/** Upstream's bounds, in bytes. */
const sizeBuckets = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

export interface Gauges {
  watchers: () => Iterable<{ group: string; version: string; kind: string; count: number }>
  objects: () => Iterable<{ resource: string; count: number }>
  /** Changes that the watch caches have taken in. */
  received: () => Iterable<{ group: string; resource: string; count: number }>
  inflight: () => { readOnly: number; mutating: number }
  storeBytes: () => Promise<number>
  /** Counts the same for the page, more coarsely. */
  traffic: Traffic
}

/** What is counted for one kind of request. A watch's length and size say nothing about the server. */
interface Series {
  requests: Counter.Internal
  durations: Histogram.Internal<string> | undefined
  sizes: Histogram.Internal<string> | undefined
}

/**
 * Counts requests under upstream's names. A request costs a few additions: series are looked up once for each kind of
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
  readonly #sizes = new Histogram({
    name: 'apiserver_response_sizes',
    help: 'Bytes sent as an answer, its head included, by verb, group, version, resource, subresource and scope.',
    labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'],
    buckets: sizeBuckets,
    registers: [this.registry],
  })
  readonly #store = new Histogram({
    name: 'etcd_request_duration_seconds',
    help: 'Time that the store takes, embedded or etcd, by operation, in seconds.',
    labelNames: ['operation'],
    buckets: durationBuckets,
    registers: [this.registry],
  })
  readonly #series = new Map<string, Series>()

  readonly #traffic: Traffic

  constructor(gauges: Gauges) {
    this.#traffic = gauges.traffic
    collectDefaultMetrics({ register: this.registry })
    const { registry } = this
    const { gitVersion, gitCommit, major, minor, goVersion, platform } = serverVersion()
    const build = { git_version: gitVersion, git_commit: gitCommit, major, minor, go_version: goVersion, platform }
    new Gauge({
      name: 'kubernetes_build_info',
      help: 'Always 1; the labels say what is running.',
      labelNames: Object.keys(build),
      registers: [registry],
    }).set(build, 1)
    new Counter({
      name: 'apiserver_watch_cache_events_received_total',
      help: 'Changes that the watch caches have taken in, by resource.',
      labelNames: ['group', 'resource'],
      registers: [registry],
      collect() {
        this.reset()
        for (const { group, resource, count } of gauges.received()) this.inc({ group, resource }, count)
      },
    })
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

  /** Counts one answer: how long it took, and the bytes that went out for it. */
  observe(info: RequestInfo, code: number, ms: number, bytes: number): void {
    this.#traffic.observe(info, code, ms)
    const key = `${info.verb}|${info.group}|${info.version}|${info.resource}|${info.subresource}|${code}|${info.namespace === '' ? 'c' : info.name === '' ? 'n' : 'r'}|${info.query.has('dryRun')}`
    let series = this.#series.get(key)
    if (!series) {
      // Paths are the client's choice: a flood of them must not become a flood of series.
      if (this.#series.size > 5000) return
      const labels = labelsOf(info)
      const { dry_run: _, ...sizeLabels } = labels
      const isWatch = info.verb === 'watch'
      series = {
        requests: this.#requests.labels({ ...labels, code: String(code) }),
        durations: isWatch ? undefined : this.#durations.labels(labels),
        sizes: isWatch ? undefined : this.#sizes.labels(sizeLabels),
      }
      this.#series.set(key, series)
    }
    series.requests.inc()
    series.durations?.observe(ms / 1000)
    series.sizes?.observe(bytes)
  }

  /** Counts one answer of the store. */
  observeStore(operation: string, ms: number): void {
    this.#store.observe({ operation }, ms / 1000)
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
