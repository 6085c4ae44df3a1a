import { IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import express from 'express'
import { unavailableError } from '../api/machinery/errors.ts'
import { apiVersionOf } from '../api/machinery/object.ts'
import type { Resource, ServedVersion } from '../api/machinery/resource.ts'
import { AdmissionChain } from './admission/chain.ts'
import type { AdmissionPlugin } from './admission/types.ts'
import type { Authenticator, Authorizer } from './auth/types.ts'
import type { Endpoint, ReviewHandler, ServerContext, SubresourceHandler } from './handlers/context.ts'
import { Deadlines } from './handlers/deadlines.ts'
import type { HealthCheck } from './handlers/health.ts'
import { InflightLimiter, type InflightLimits } from './handlers/inflight.ts'
import { RequestMetrics } from './handlers/metrics.ts'
import { createPathHandlers, type Documents } from './handlers/paths.ts'
import { createPipeline, type PathHandler, type RequestLogEntry } from './handlers/pipeline.ts'
import type { RequestInfo } from './handlers/request-info.ts'
import type { ServedGroup } from './handlers/served-group.ts'
import { Traffic } from './handlers/traffic.ts'
import { WatchHub } from './handlers/watch.ts'
import { AmendingCommitter } from './registry/amendments.ts'
import { StoreFeed } from './registry/feed.ts'
import type { ServerClient } from './registry/reader.ts'
import { Registry } from './registry/registry.ts'
import { createServerClient } from './registry/server-client.ts'
import { WatchCache } from './registry/watch-cache.ts'
import type { RegistryHooks } from './registry/write.ts'
import { withHorizon } from './storage/horizon.ts'
import type { Store } from './storage/store.ts'
import { timedStore } from './storage/timed.ts'

/** The parts that are made from what the server itself serves: they read through `client`. */
export interface ServerParts {
  authenticator: Authenticator
  authorizer: Authorizer
  admission: readonly AdmissionPlugin[]
  /** By `group/plural`. */
  hooks?: ReadonlyMap<string, RegistryHooks>
  subresources: ReadonlyMap<string, SubresourceHandler>
  groups?: readonly ServedGroup[]
  reviews: ReadonlyMap<string, ReviewHandler>
  documents: Documents
  /** Asked before the server's own. */
  paths?: readonly PathHandler[]
  healthChecks: readonly HealthCheck[]
  /** What goes on while the server serves. */
  background?: readonly { start(): void; stop(): Promise<void> }[]
}

export interface ApiServerOptions {
  store: Store
  resources: readonly Resource[]
  tls: { cert: string | Buffer; key: string | Buffer; clientCa: string | Buffer }
  /** Called once, before anything is served. */
  assemble: (core: ServerCore) => ServerParts
  now?: () => number
  inflight?: InflightLimits
  minRequestTimeoutSeconds?: number
  /** What is not long-running by nature is ended after this. */
  requestTimeoutSeconds?: number
  log?: (entry: RequestLogEntry) => void
  onError?: (error: unknown, what: string) => void
}

/** What the parts are made from. */
export interface ServerCore {
  client: ServerClient
  resources: readonly Resource[]
  lookup: (group: string, plural: string) => Resource
  registry: (group: string, plural: string) => Registry
  feed: StoreFeed
  store: Store
  traffic: Traffic
  now: () => number
}

/** How far back a watch or a paged list may go on, as upstream's servers keep it. */
const watchReachMs = 300_000

/** An API server: its caches follow the store from {@link start} on, and it answers from {@link listen} on. */
export class ApiServer {
  readonly core: ServerCore
  readonly #options: ApiServerOptions
  readonly #feed: StoreFeed
  readonly #hubs: WatchHub[] = []
  readonly #deadlines: Deadlines
  readonly #stopHorizon: () => void
  readonly #background: NonNullable<ServerParts['background']>
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #stopping = false
  #ready = false

  constructor(options: ApiServerOptions) {
    this.#options = options
    const { resources, now = Date.now, onError = () => {} } = options
    let metrics: RequestMetrics | undefined
    const timed = timedStore(options.store, (operation, ms) => metrics?.observeStore(operation, ms))
    const { store, stop } = withHorizon(timed, {
      reachMs: watchReachMs,
      stepMs: 10_000,
      onError: (error) => onError(error, 'moving the horizon of watches'),
    })
    this.#stopHorizon = stop
    this.#feed = new StoreFeed(store, { onError: (error) => onError(error, 'following the store') })
    const registries = new Map<string, Registry>()
    const byResource = new Map<Resource, Registry>()
    const nameOf = ({ group, plural }: { group: string; plural: string }) => `${group}/${plural}`
    const registryOf = (group: string, plural: string): Registry => {
      const found = registries.get(`${group}/${plural}`)
      if (!found) throw new Error(`no kind is served as ${plural} in group ${JSON.stringify(group)}`)
      return found
    }
    const client = createServerClient(
      (resource) => byResource.get(resource) ?? registryOf(resource.group, resource.plural),
      now,
    )
    this.core = {
      client,
      resources,
      lookup: (group, plural) => registryOf(group, plural).resource,
      registry: registryOf,
      feed: this.#feed,
      store,
      traffic: new Traffic(now()),
      now,
    }

    const committer = new AmendingCommitter(store, ({ group, plural }) => registryOf(group, plural).cache)
    const plugins: AdmissionPlugin[] = []
    const admission = new AdmissionChain(plugins)
    const hooks = new Map<string, RegistryHooks>()
    const endpoints = new Map<string, Endpoint>()
    const kinds = new Map<string, Endpoint>()
    for (const resource of resources) {
      const cache = new WatchCache(resource)
      this.#feed.add(cache)
      // Hooks are made from the registries, and the registries ask them only when a request comes.
      const lateHooks: RegistryHooks = {}
      hooks.set(nameOf(resource), lateHooks)
      const registry = new Registry(cache, { store, committer, feed: this.#feed, admission }, lateHooks)
      registries.set(nameOf(resource), registry)
      byResource.set(resource, registry)
      const hub = new WatchHub(cache, this.#feed, store)
      this.#hubs.push(hub)
      for (const served of [undefined, ...resource.versions]) {
        const endpoint = endpointOf(resource, served, registry, hub)
        endpoints.set(`${endpoint.group}/${endpoint.version}/${resource.plural}`, endpoint)
        kinds.set(`${endpoint.group}/${endpoint.version}/${resource.kind}`, endpoint)
      }
    }

    const parts = options.assemble(this.core)
    this.#background = parts.background ?? []
    plugins.push(...parts.admission)
    for (const [name, own] of parts.hooks ?? []) Object.assign(hooks.get(name) ?? {}, own)
    const server: ServerContext = {
      store,
      past: options.store,
      resources,
      committer,
      feed: this.#feed,
      admission,
      authorizer: parts.authorizer,
      client,
      now,
      endpoint: (group, version, plural) => endpoints.get(`${group}/${version}/${plural}`),
      endpointOfKind: (group, version, kind) => kinds.get(`${group}/${version}/${kind}`),
      registry: registryOf,
      subresources: parts.subresources,
      groups: new Map((parts.groups ?? []).map((served) => [apiVersionOf(served.group, served.version), served])),
      reviews: parts.reviews,
      minRequestTimeoutSeconds: options.minRequestTimeoutSeconds ?? 1800,
    }
    const limiter = new InflightLimiter(options.inflight ?? { readOnly: 400, mutating: 200 })
    this.#deadlines = new Deadlines((options.requestTimeoutSeconds ?? 60) * 1000)
    metrics = new RequestMetrics({
      received: () => this.#received(),
      watchers: () => this.#watcherCounts(),
      objects: function* () {
        for (const { cache, resource } of registries.values()) {
          const { group, plural } = resource
          yield { resource: group === '' ? plural : `${plural}.${group}`, count: cache.size }
        }
      },
      inflight: () => limiter,
      storeBytes: () => store.sizeBytes(),
      traffic: this.core.traffic,
    })
    const handle = createPipeline({
      server,
      authenticator: parts.authenticator,
      limiter,
      deadlines: this.#deadlines,
      metrics,
      paths: [
        ...(parts.paths ?? []),
        ...createPathHandlers({
          documents: parts.documents,
          healthChecks: [
            { name: 'ping', check: () => {} },
            { name: 'log', check: () => {} },
            {
              name: 'etcd',
              check: async () => void (await within(store.revision(), 2000, 'the store does not answer')),
            },
            { name: 'informer-sync', only: ['readyz'], check: () => this.#requireFeed() },
            ...parts.healthChecks,
            {
              name: 'poststarthook/rbac/bootstrap-roles',
              only: ['healthz', 'readyz'],
              check: () => this.#requireReady(),
            },
            { name: 'shutdown', only: ['readyz'], check: () => this.#requireNotStopping() },
          ],
          metrics,
        }),
      ],
      log: options.log ?? (() => {}),
      onInternalError: (error: unknown, info: RequestInfo | undefined) =>
        onError(error, `${info?.method} ${info?.path}`),
    })
    this.#server = this.#createServer(handle)
  }

  /** Fills the caches and begins to follow the store. */
  start(): Promise<void> {
    return this.#feed.start()
  }

  /** Accepts requests. Port 0 takes any free one; resolves to the address. */
  listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ port, host, backlog: 1024 }, () => {
        this.#server.off('error', reject)
        resolve(this.#server.address() as AddressInfo)
      })
    })
  }

  /** What must be there is there: /readyz says so from now on. */
  markReady(): void {
    this.#ready = true
    for (const task of this.#background) task.start()
  }

  /**
   * Stops cleanly: no new connections, watches ended so that clients resume elsewhere, running requests answered, for
   * at most `graceMs`.
   */
  async stop(graceMs = 10_000): Promise<void> {
    this.#stopping = true
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const hub of this.#hubs) hub.stop()
    this.#server.closeIdleConnections()
    const sweep = setInterval(() => this.#server.closeIdleConnections(), 50)
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, graceMs)
    await closed
    clearInterval(sweep)
    clearTimeout(cut)
    this.#deadlines.stop()
    this.#stopHorizon()
    await Promise.all(this.#background.map((task) => task.stop()))
    await this.#feed.stop()
  }

  #createServer(handle: ReturnType<typeof createPipeline>): Server {
    const { tls, onError = () => {} } = this.#options
    const app = express()
    for (const setting of ['etag', 'x-powered-by', 'query parser']) app.disable(setting)
    app.use((req, res) => {
      if (this.#stopping) res.setHeader('Connection', 'close')
      handle(req, res).catch((error: unknown) => onError(error, `${req.method} ${req.url}`))
    })
    const { Request, Response } = expressClasses(app)
    const server = createServer(
      {
        cert: tls.cert,
        key: tls.key,
        ca: tls.clientCa,
        requestCert: true,
        rejectUnauthorized: false,
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['http/1.1'],
        IncomingMessage: Request,
        ServerResponse: Response,
        keepAliveTimeout: 90_000,
        headersTimeout: 32_000,
        requestTimeout: 0,
        maxHeaderSize: 64 << 10,
      },
      app as RequestListener,
    )
    server.on('upgrade', (req, socket, head) => {
      // Errors are answered like any other request's; a handler that switches protocols takes the socket over.
      const res = new Response(req)
      res.assignSocket(socket as Socket)
      res.once('finish', () => socket.end())
      handle(req, res, head).catch((error: unknown) => onError(error, `${req.method} ${req.url}`))
    })
    server.on('secureConnection', (socket) => {
      socket.setNoDelay(true)
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
    })
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    })
    return server
  }

  *#received(): Iterable<{ group: string; resource: string; count: number }> {
    for (const hub of this.#hubs) {
      const { group, plural } = hub.cache.resource
      if (hub.received > 0) yield { group, resource: plural, count: hub.received }
    }
  }

  *#watcherCounts(): Iterable<{ group: string; version: string; kind: string; count: number }> {
    for (const hub of this.#hubs) {
      const { group, version, plural } = hub.cache.resource
      if (hub.watchers > 0) yield { group, version, kind: plural, count: hub.watchers }
    }
  }

  #requireFeed(): void {
    if (this.#feed.revision === 0) throw unavailableError('the caches are not filled yet')
  }

  #requireReady(): void {
    if (!this.#ready) throw unavailableError('not finished')
  }

  #requireNotStopping(): void {
    if (this.#stopping) throw unavailableError('process is shutting down')
  }
}

/**
 * Express swaps the prototype of every request and response, which costs more than all else it does. Objects made with
 * its prototypes from the start are left as they are.
 */
function expressClasses(app: express.Express): { Request: typeof IncomingMessage; Response: typeof ServerResponse } {
  const Request = function (this: IncomingMessage, ...args: unknown[]) {
    Reflect.apply(IncomingMessage, this, args)
  }
  Request.prototype = app.request
  const Response = function (this: ServerResponse, ...args: unknown[]) {
    Reflect.apply(ServerResponse, this, args)
  }
  Response.prototype = app.response
  return {
    Request: Request as unknown as typeof IncomingMessage,
    Response: Response as unknown as typeof ServerResponse,
  }
}

function endpointOf(
  resource: Resource,
  served: ServedVersion | undefined,
  registry: Registry,
  hub: WatchHub,
): Endpoint {
  const { group, version, schema } = served ?? resource
  return { registry, hub, served, resource, group, version, apiVersion: apiVersionOf(group, version), schema }
}

function within<T>(promise: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailableError(message)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
