import { IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import express from 'express'
import { unavailableError } from '../api/machinery/errors.ts'
import type { Resource } from '../api/machinery/resource.ts'
import { AdmissionChain } from './admission/chain.ts'
import type { AdmissionPlugin } from './admission/types.ts'
import type { Authenticator, Authorizer } from './auth/types.ts'
import type { ReviewHandler, ServerContext, SubresourceHandler } from './handlers/context.ts'
import { Deadlines } from './handlers/deadlines.ts'
import type { HealthCheck } from './handlers/health.ts'
import { InflightLimiter, type InflightLimits } from './handlers/inflight.ts'
import { RequestMetrics } from './handlers/metrics.ts'
import { createPathHandlers, type Documents } from './handlers/paths.ts'
import { createPipeline, type PathHandler, type RequestLogEntry } from './handlers/pipeline.ts'
import type { RequestInfo } from './handlers/request-info.ts'
import type { ServedGroup } from './handlers/served-group.ts'
import { Traffic } from './handlers/traffic.ts'
import { Kinds } from './kinds.ts'
import { AmendingCommitter } from './registry/amendments.ts'
import { StoreFeed } from './registry/feed.ts'
import type { ServerClient } from './registry/reader.ts'
import type { Registry } from './registry/registry.ts'
import { createServerClient } from './registry/server-client.ts'
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
  groups?: ReadonlyMap<string, ServedGroup>
  reviews: ReadonlyMap<string, ReviewHandler>
  documents: Documents
  /** Asked before the server's own. */
  paths?: readonly PathHandler[]
  healthChecks: readonly HealthCheck[]
  /** Kinds that objects define: served with all others from the start. */
  extensions?: Extensions
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
  kinds: Kinds
  /** As they are now: custom kinds come and go. */
  resources: readonly Resource[]
  lookup: (group: string, plural: string) => Resource
  registry: (group: string, plural: string) => Registry
  feed: StoreFeed
  store: Store
  traffic: Traffic
  now: () => number
}

/** What serves the kinds that custom resource definitions define. */
export interface Extensions {
  /** Resolves when the kinds defined so far are served. */
  start(): Promise<void>
  /** Resolves when what the caches know of is served. */
  settle(): Promise<void>
  stop(): Promise<void>
}

/** How far back a watch or a paged list may go on, as upstream's servers keep it. */
const watchReachMs = 300_000

/** An API server: its caches follow the store from {@link start} on, and it answers from {@link listen} on. */
export class ApiServer {
  readonly core: ServerCore
  readonly #options: ApiServerOptions
  readonly #feed: StoreFeed
  readonly #kinds: Kinds
  readonly #deadlines: Deadlines
  readonly #stopHorizon: () => void
  readonly #background: NonNullable<ServerParts['background']>
  readonly #extensions: Extensions | undefined
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
    const plugins: AdmissionPlugin[] = []
    const admission = new AdmissionChain(plugins)
    const committer: AmendingCommitter = new AmendingCommitter(
      store,
      (resource) => this.#kinds.registryOf(resource).cache,
    )
    this.#kinds = new Kinds({ store, committer, feed: this.#feed, admission, onError })
    for (const resource of resources) this.#kinds.add(resource)
    const kinds = this.#kinds
    const client = createServerClient((resource) => kinds.registryOf(resource), now)
    this.core = {
      client,
      kinds,
      resources: kinds.all,
      lookup: (group, plural) => kinds.registry(group, plural).resource,
      registry: (group, plural) => kinds.registry(group, plural),
      feed: this.#feed,
      store,
      traffic: new Traffic(now()),
      now,
    }

    const parts = options.assemble(this.core)
    this.#background = parts.background ?? []
    this.#extensions = parts.extensions
    plugins.push(...parts.admission)
    for (const [name, own] of parts.hooks ?? []) Object.assign(kinds.hooks.get(name) ?? {}, own)
    const server: ServerContext = {
      store,
      past: options.store,
      resources: kinds.all,
      committer,
      feed: this.#feed,
      admission,
      authorizer: parts.authorizer,
      client,
      now,
      endpoint: (group, version, plural) => kinds.endpoint(group, version, plural),
      endpointOfKind: (group, version, kind) => kinds.endpointOfKind(group, version, kind),
      registry: (group, plural) => kinds.registry(group, plural),
      settle: () => this.#settle(),
      subresources: parts.subresources,
      groups: parts.groups ?? new Map(),
      reviews: parts.reviews,
      minRequestTimeoutSeconds: options.minRequestTimeoutSeconds ?? 1800,
    }
    const limiter = new InflightLimiter(options.inflight ?? { readOnly: 400, mutating: 200 })
    this.#deadlines = new Deadlines((options.requestTimeoutSeconds ?? 60) * 1000)
    metrics = new RequestMetrics({
      received: () => this.#received(),
      watchers: () => this.#watcherCounts(),
      objects: function* () {
        for (const { cache, resource } of kinds.registries()) {
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
  async start(): Promise<void> {
    await this.#feed.start()
    await this.#extensions?.start()
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
    for (const hub of this.#kinds.hubs()) hub.stop()
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
    await Promise.all([this.#extensions?.stop(), ...this.#background.map((task) => task.stop())])
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
    for (const hub of this.#kinds.hubs()) {
      const { group, plural } = hub.cache.resource
      if (hub.received > 0) yield { group, resource: plural, count: hub.received }
    }
  }

  *#watcherCounts(): Iterable<{ group: string; version: string; kind: string; count: number }> {
    for (const hub of this.#kinds.hubs()) {
      const { group, version, plural } = hub.cache.resource
      if (hub.watchers > 0) yield { group, version, kind: plural, count: hub.watchers }
    }
  }

  /** What another server may have been told of by now is served here too. */
  async #settle(): Promise<void> {
    await this.#feed.catchUp()
    await this.#extensions?.settle()
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

function within<T>(promise: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailableError(message)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
