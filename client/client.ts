import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { Readable } from 'node:stream'
import { batches } from '../api/gantry/batch.ts'
import type { Status } from '../api/generated/types.ts'
import { maxTimerMs } from '../api/machinery/timers.ts'
import { bodyOf, linesOf, statusOf, textOf } from './answers.ts'
import { systemClock } from './clock.ts'
import type { ClientConfig } from './config.ts'
import { Connection } from './connection.ts'
import { type GroupList, servedBy } from './discovery.ts'
import { apiVersionOf } from './resources.ts'
import { errorOf } from './status.ts'
import { Submissions } from './submissions.ts'
import type {
  Api,
  Clock,
  DeleteOptions,
  GetOptions,
  Key,
  ListOptions,
  Live,
  ObjectList,
  Patch,
  ResourceRef,
  ServedResource,
  SubmitOptions,
  Submittable,
  Submitted,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './types.ts'

export interface ClientOptions {
  clock?: Clock
  /** Connections kept at once. Requests beyond wait. */
  maxSockets?: number
  /** For one answer, not for a watch. */
  timeoutMs?: number
  /** Told of every request when the head of its answer is there, or when there is none. */
  onExchange?: (exchange: Exchange) => void
}

/** A request and the head of its answer. */
export interface Exchange {
  method: string
  url: string
  /** Headers. */
  sent: Readonly<Record<string, unknown>>
  body?: string
  /** `200 OK`. */
  status?: string
  /** Headers. */
  received?: Readonly<Record<string, unknown>>
  /** Why there is no answer. */
  failure?: string
  ms: number
}

export interface RawRequest {
  query?: URLSearchParams | Record<string, string>
  headers?: Record<string, string>
  body?: string | Buffer
  /** A body that is sent as it comes, in place of `body`; it is sent once, and takes as long as it takes. */
  source?: Readable
  signal?: AbortSignal | undefined
  /** No limit on how long the answer takes: watches and followed logs. */
  stream?: boolean
}

const maxAttempts = 10

const patchTypes: Record<Patch['type'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

/**
 * A Kubernetes API server over HTTPS. Refusals are `StatusError`s. Asked to slow down (429, or 503 with Retry-After) it
 * waits and tries again; so it does when a connection breaks, if the request changes nothing by being made twice.
 */
export class Client implements Api {
  readonly config: ClientConfig
  /** For those who make a connection of their own. */
  readonly connection: Connection
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #onExchange: ClientOptions['onExchange']
  readonly #submissions: Submissions

  constructor(
    config: ClientConfig,
    { clock = systemClock, maxSockets = 32, timeoutMs = 60_000, onExchange }: ClientOptions = {},
  ) {
    this.config = config
    this.connection = new Connection(config, clock, maxSockets)
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#onExchange = onExchange
    this.#submissions = new Submissions({
      batch: (items) => this.#json('POST', pathOf(batches), { body: JSON.stringify({ items }) }),
      single: async ({ path, object }) =>
        (await this.#json<Live<unknown>>('POST', path, { body: JSON.stringify(object) })).metadata,
      now: () => performance.now(),
    })
  }

  async get<T>(ref: ResourceRef<T>, key: Key, options: GetOptions = {}) {
    const query = queryOf({ resourceVersion: options.resourceVersion })
    const headers = options.metadataOnly ? metadataOf('PartialObjectMetadata') : {}
    return await this.#json<Live<T>>('GET', pathOf(ref, key.namespace, key.name, options.subresource), {
      query,
      headers,
      signal: options.signal,
    })
  }

  async list<T>(ref: ResourceRef<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const { namespace, signal, metadataOnly, ...rest } = options
    const headers = metadataOnly ? metadataOf('PartialObjectMetadataList') : {}
    const list = await this.#json<ObjectList<T>>('GET', pathOf(ref, namespace), {
      query: queryOf(rest),
      headers,
      signal,
    })
    return { metadata: list.metadata, items: list.items ?? [] }
  }

  async *watch<T>(ref: ResourceRef<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const { namespace, signal, metadataOnly, ...rest } = options
    const headers = metadataOnly ? metadataOf('PartialObjectMetadata') : {}
    const query = queryOf({
      ...rest,
      watch: true,
      ...(rest.sendInitialEvents ? { resourceVersionMatch: 'NotOlderThan' } : {}),
    })
    const answer = await this.raw('GET', pathOf(ref, namespace), { query, headers, signal, stream: true })
    for await (const line of linesOf(bodyOf(answer))) {
      const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: Status }
      if (event.type === 'ERROR') throw errorOf(event.object, event.object.code ?? 500)
      yield event
    }
  }

  create<T>(ref: ResourceRef<T>, object: T, options: WriteOptions = {}) {
    const { metadata } = object as { metadata?: { namespace?: string; name?: string } }
    const name = options.subresource ? metadata?.name : undefined
    return this.#json<Live<T>>('POST', pathOf(ref, metadata?.namespace, name, options.subresource), {
      query: writeQuery(options),
      body: JSON.stringify(this.#typed(ref, object)),
      signal: options.signal,
    })
  }

  update<T>(ref: ResourceRef<T>, object: T, options: WriteOptions = {}) {
    const { metadata } = object as { metadata?: { namespace?: string; name?: string } }
    return this.#json<Live<T>>('PUT', pathOf(ref, metadata?.namespace, metadata?.name, options.subresource), {
      query: writeQuery(options),
      body: JSON.stringify(this.#typed(ref, object)),
      signal: options.signal,
    })
  }

  patch<T>(ref: ResourceRef<T>, key: Key, patch: Patch, options: WriteOptions = {}) {
    const query = writeQuery(options)
    if (patch.type === 'apply') {
      query.set('force', String(patch.force ?? false))
      if (!options.fieldManager) throw new Error('server-side apply needs a fieldManager')
    }
    return this.#json<Live<T>>('PATCH', pathOf(ref, key.namespace, key.name, options.subresource), {
      query,
      headers: { 'content-type': patchTypes[patch.type] },
      body: JSON.stringify(patch.body),
      signal: options.signal,
    })
  }

  async delete<T>(ref: ResourceRef<T>, key: Key, options: DeleteOptions = {}): Promise<void> {
    await this.#json('DELETE', pathOf(ref, key.namespace, key.name), deletion(options))
  }

  async deleteCollection<T>(ref: ResourceRef<T>, selection: ListOptions, options: DeleteOptions = {}): Promise<void> {
    const { namespace, signal: _, ...rest } = selection
    await this.#json('DELETE', pathOf(ref, namespace), { ...deletion(options), query: queryOf(rest) })
  }

  post<R>(ref: ResourceRef, key: Key, subresource: string, body: object, options: WriteOptions = {}): Promise<R> {
    return this.#json<R>('POST', pathOf(ref, key.namespace, key.name, subresource), {
      query: writeQuery(options),
      body: JSON.stringify(body),
      signal: options.signal,
    })
  }

  submit(ref: ResourceRef, object: Submittable, { subresource, background }: SubmitOptions = {}): Promise<Submitted> {
    const { namespace, name } = object.metadata ?? {}
    const path = pathOf(ref, namespace, subresource ? name : undefined, subresource)
    return this.#submissions.submit({ path, object: subresource ? object : this.#typed(ref, object) }, background)
  }

  read<R>(path: string, options: { query?: Record<string, string>; signal?: AbortSignal } = {}): Promise<R> {
    return this.#json<R>('GET', path, options)
  }

  async discover(signal?: AbortSignal): Promise<{ resources: ServedResource[]; incomplete: string[] }> {
    const headers = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' }
    const roots = ['/api', '/apis'].map((path) => this.#json<GroupList>('GET', path, { headers, signal }))
    return servedBy((await Promise.all(roots)).flatMap(({ items }) => items ?? []))
  }

  /** Any path of the server, its answer as JSON. */
  json<R>(method: string, path: string, request: RawRequest = {}): Promise<R> {
    return this.#json<R>(method, path, request)
  }

  /** Any path of the server: the answer once its head is there. A refusal is thrown. */
  async raw(method: string, path: string, request: RawRequest = {}): Promise<IncomingMessage> {
    let renewed = false
    for (let attempt = 1; ; attempt++) {
      const kind = request.stream ? 'streams' : 'requests'
      const way = this.connection.way(kind) ?? (await this.connection.open(kind))
      const { login } = this.connection
      let answer: IncomingMessage
      try {
        answer = await this.#send(way, method, path, request)
      } catch (error) {
        request.signal?.throwIfAborted()
        // A kept connection that the server has closed meanwhile: the request may never have left.
        if (attempt >= 3 || request.source || !mayRepeat(method, error)) throw error
        await this.#clock.sleep(50 * attempt, request.signal)
        continue
      }
      const code = answer.statusCode ?? 500
      if (code < 300) return answer
      const text = await textOf(answer)
      if (code === 401 && !request.source && !renewed && this.connection.renew(login)) {
        renewed = true
        continue
      }
      const retryAfter = Number(answer.headers['retry-after'])
      if (
        !request.source &&
        (code === 429 || code === 503) &&
        Number.isFinite(retryAfter) &&
        attempt < maxAttempts &&
        !isEviction(path)
      ) {
        await this.#clock.sleep(Math.max(retryAfter, 0.1) * 1000, request.signal)
        continue
      }
      throw errorOf(statusOf(text), code, text)
    }
  }

  /** Closes what is open. */
  close(): void {
    this.connection.close()
  }

  async #json<R>(method: string, path: string, request: RawRequest = {}): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.raw(method, path, request)
      try {
        return JSON.parse(await textOf(answer)) as R
      } catch (error) {
        // Cut off in the middle of the answer.
        if (error instanceof SyntaxError || attempt >= 3 || !mayRepeat(method, error)) throw error
        await this.#clock.sleep(50 * attempt, request.signal)
      }
    }
  }

  #send(way: RequestOptions, method: string, path: string, request: RawRequest): Promise<IncomingMessage> {
    const { query, headers, body, source, signal, stream } = request
    const { url } = this.connection
    const text = query ? String(query instanceof URLSearchParams ? query : new URLSearchParams(query)) : ''
    const prefix = url.pathname === '/' ? '' : url.pathname
    return new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:'
      const options = {
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port || (secure ? 443 : 80),
        method,
        path: `${prefix}${path}${text ? `?${text}` : ''}`,
        ...way,
        ...(signal ? { signal } : {}),
        headers: {
          accept: 'application/json',
          'accept-encoding': 'gzip',
          'user-agent': this.config.userAgent ?? 'gantry',
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          ...this.connection.authorization(),
          ...headers,
        },
      }
      const req: ClientRequest = secure ? httpsRequest(options) : httpRequest(options)
      if (this.#onExchange) this.#observe(req, `${url.origin}${options.path}`, method, options.headers, body)
      const limitMs = source ? maxTimerMs : this.#timeoutMs
      const timer = setTimeout(
        () =>
          req.destroy(
            Object.assign(new Error(`${method} ${path} was not answered within ${limitMs} ms`), {
              code: 'ETIMEDOUT',
            }),
          ),
        limitMs,
      )
      req.once('response', (answer) => {
        if (stream) clearTimeout(timer)
        else answer.once('close', () => clearTimeout(timer))
        // What is broken later is told to whoever reads.
        answer.on('error', () => {})
        req.on('error', () => {})
        resolve(answer)
      })
      req.once('error', (error) => {
        clearTimeout(timer)
        reject(signal?.aborted ? signal.reason : error)
      })
      if (!source) return void req.end(body)
      source.once('error', (error) => req.destroy(error))
      source.pipe(req)
    })
  }

  #observe(req: ClientRequest, url: string, method: string, sent: Exchange['sent'], body?: string | Buffer): void {
    const startedAt = performance.now()
    const tell = (more: Partial<Exchange>) =>
      this.#onExchange?.({
        method,
        url,
        sent,
        ...(body === undefined ? {} : { body: String(body) }),
        ...more,
        ms: performance.now() - startedAt,
      })
    req.once('response', ({ statusCode, statusMessage, headers }) =>
      tell({ status: `${statusCode} ${statusMessage}`, received: headers }),
    )
    req.once('error', ({ message }) => tell({ failure: message }))
  }

  #typed<T>(ref: ResourceRef<T>, object: T): object {
    return { apiVersion: apiVersionOf(ref), kind: ref.kind, ...(object as object) }
  }
}

/** The path of a collection, an object or a subresource. */
export function pathOf(ref: ResourceRef, namespace?: string, name?: string, subresource?: string): string {
  const root = ref.group === '' ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`
  const within = ref.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`
  return `${root}${within}/${ref.plural}${object}${subresource ? `/${subresource}` : ''}`
}

const metadataOf = (as: string) => ({ accept: `application/json;as=${as};g=meta.k8s.io;v=v1` })

function queryOf(options: object): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && value !== '' && value !== false) query.set(name, String(value))
  }
  return query
}

function writeQuery({ fieldManager, dryRun }: WriteOptions): URLSearchParams {
  return queryOf({ fieldManager, ...(dryRun ? { dryRun: 'All' } : {}) })
}

function deletion({ signal, dryRun, ...options }: DeleteOptions): RawRequest {
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...options, ...(dryRun ? { dryRun: ['All'] } : {}) }
  return { body: JSON.stringify(body), signal }
}

/** An eviction that a budget forbids is answered with 429 too, and waiting is its caller's business. */
const isEviction = (path: string) => path.endsWith('/eviction')

const broken = new Set(['ECONNRESET', 'EPIPE'])

function mayRepeat(method: string, error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  // Refused: it has not been made. Everything but POST and PATCH names what it wants, twice is once.
  if (code === 'ECONNREFUSED') return false
  return broken.has(code ?? '') && method !== 'POST' && method !== 'PATCH'
}
