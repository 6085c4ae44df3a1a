import { readFileSync } from 'node:fs'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { createSecureContext } from 'node:tls'
import { createGunzip } from 'node:zlib'
import { batches } from '../api/gantry/batch.ts'
import type { Status } from '../api/generated/types.ts'
import { systemClock } from './clock.ts'
import type { ClientConfig } from './config.ts'
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
const maxAnswerBytes = 1 << 30
const tokenAgeMs = 60_000
/** As long as a timer can be. */
const maxTimerMs = 2 ** 31 - 1

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
  readonly #agent: Agent
  /** Of watches and other streams, which last: they must not take the connections of requests. */
  readonly #streams: Agent
  readonly #url: URL
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #submissions: Submissions
  #token: { text: string; readAt: number } | undefined

  constructor(config: ClientConfig, { clock = systemClock, maxSockets = 32, timeoutMs = 60_000 }: ClientOptions = {}) {
    this.config = config
    this.#url = new URL(config.server)
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    const { ca, cert, key, ...tls } = this.tls()
    // Read once: to take the certificates apart costs more than the rest of a connection, and than ten requests.
    const secureContext = this.#url.protocol === 'https:' ? createSecureContext({ ca, cert, key }) : undefined
    this.#agent = new Agent({ keepAlive: true, maxSockets, maxFreeSockets: maxSockets, secureContext, ...tls })
    this.#streams = new Agent({ keepAlive: true, secureContext, ...tls })
    this.#submissions = new Submissions({
      batch: (items) => this.#json('POST', pathOf(batches), { body: JSON.stringify({ items }) }),
      single: async ({ path, object }) =>
        (await this.#json<Live<unknown>>('POST', path, { body: JSON.stringify(object) })).metadata,
      now: () => performance.now(),
    })
  }

  /** What a connection of one's own to the same server needs, as the same client. */
  tls(): { ca?: Buffer; cert?: Buffer; key?: Buffer; rejectUnauthorized?: boolean; servername?: string } {
    const { ca, cert, key, insecureSkipTlsVerify, tlsServerName } = this.config
    return {
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
      ...(insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
      ...(tlsServerName ? { servername: tlsServerName } : {}),
    }
  }

  /** The Authorization header, where the client has a token. */
  authorization(): Record<string, string> {
    const { token, tokenFile } = this.config
    if (token) return { authorization: `Bearer ${token}` }
    if (!tokenFile) return {}
    if (!this.#token || this.#clock.now() - this.#token.readAt > tokenAgeMs)
      this.#token = { text: readFileSync(tokenFile, 'utf8').trim(), readAt: this.#clock.now() }
    return { authorization: `Bearer ${this.#token.text}` }
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

  submit(ref: ResourceRef, object: Submittable, { subresource }: { subresource?: string } = {}): Promise<Submitted> {
    const { namespace, name } = object.metadata ?? {}
    const path = pathOf(ref, namespace, subresource ? name : undefined, subresource)
    return this.#submissions.submit({ path, object: subresource ? object : this.#typed(ref, object) })
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
    for (let attempt = 1; ; attempt++) {
      let answer: IncomingMessage
      try {
        answer = await this.#send(method, path, request)
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
    this.#agent.destroy()
    this.#streams.destroy()
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

  #send(method: string, path: string, request: RawRequest): Promise<IncomingMessage> {
    const { query, headers, body, source, signal, stream } = request
    const text = query ? String(query instanceof URLSearchParams ? query : new URLSearchParams(query)) : ''
    const prefix = this.#url.pathname === '/' ? '' : this.#url.pathname
    return new Promise((resolve, reject) => {
      const secure = this.#url.protocol === 'https:'
      const options = {
        host: this.#url.hostname.replace(/^\[|\]$/g, ''),
        port: this.#url.port || (secure ? 443 : 80),
        method,
        path: `${prefix}${path}${text ? `?${text}` : ''}`,
        ...(secure ? { agent: stream ? this.#streams : this.#agent } : {}),
        ...(signal ? { signal } : {}),
        headers: {
          accept: 'application/json',
          'accept-encoding': 'gzip',
          'user-agent': this.config.userAgent ?? 'gantry',
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          ...this.authorization(),
          ...headers,
        },
      }
      const req: ClientRequest = secure ? httpsRequest(options) : httpRequest(options)
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

function bodyOf(answer: IncomingMessage): Readable {
  if (answer.headers['content-encoding'] !== 'gzip') return answer
  const plain = createGunzip()
  answer.once('error', (error) => plain.destroy(error))
  answer.once('aborted', () =>
    plain.destroy(Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' })),
  )
  return answer.pipe(plain)
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bodyOf(answer) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxAnswerBytes) throw new Error('the answer is larger than 1 GiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** The lines of a stream; what comes after the last line's end is not one. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let parts: Buffer[] = []
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let from = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        const piece = chunk.subarray(from, end)
        const line = parts.length > 0 ? Buffer.concat([...parts, piece]).toString() : piece.toString()
        parts = []
        from = end + 1
        if (line !== '') yield line
      }
      if (from < chunk.length) parts.push(chunk.subarray(from))
    }
  } finally {
    stream.destroy()
  }
}

function statusOf(text: string): Status | undefined {
  try {
    const body = JSON.parse(text) as Status
    return body.kind === 'Status' ? body : undefined
  } catch {
    return undefined
  }
}
