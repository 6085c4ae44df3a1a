import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { Client, type RawRequest } from '../client/client.ts'
import { systemClock } from '../client/clock.ts'
import { type ClientConfig, loadConfig } from '../client/config.ts'
import { isNotFound } from '../client/errors.ts'
import { proxyFromEnvironment } from '../client/proxy.ts'
import type { Clock } from '../client/types.ts'
import { CliError } from './errors.ts'
import { parseDuration, type SharedFlags } from './flags.ts'
import type { Io } from './io.ts'
import { discoverKinds, type Kinds } from './kinds.ts'
import { tracer } from './trace.ts'

interface Quietness {
  /** Warnings are not shown. */
  quiet?: boolean
}

/** One run of a verb: who asks which server, in which namespace, and where the answer is shown. */
export class Session {
  readonly io: Io
  readonly clock: Clock
  /** `-n` was given: what is written elsewhere must not contradict it. */
  readonly namespaceGiven: boolean
  /** What every request says beside who asks: whom to act for. */
  readonly headers: Readonly<Record<string, string>>
  readonly flags: SharedFlags
  #kinds: Promise<Kinds> | undefined
  #client: Client | undefined
  readonly #onExchange: ReturnType<typeof tracer>
  readonly #ended = new AbortController()
  readonly #warnings = new Set<string>()

  constructor(io: Io, flags: SharedFlags, clock: Clock = systemClock) {
    this.io = io
    this.clock = clock
    this.flags = flags
    this.namespaceGiven = Boolean(flags.namespace)
    this.headers = impersonation(flags)
    this.#onExchange = flags.v === undefined ? undefined : tracer(flags.v, io.err)
  }

  /** Of how many things the server has warned. */
  get warnings(): number {
    return this.#warnings.size
  }

  /** Made when it is first asked for: some verbs work without a cluster. */
  get client(): Client {
    if (!this.#client) {
      const { requestTimeout } = this.flags
      const timeoutMs = requestTimeout ? parseDuration(requestTimeout) : undefined
      this.#client = new Client(reachable(configFor(this.io, this.flags), this.io.env), {
        clock: this.clock,
        ...(timeoutMs ? { timeoutMs } : {}),
        ...(this.#onExchange ? { onExchange: this.#onExchange } : {}),
      })
    }
    return this.#client
  }

  /** The namespace of the flag, of the context, or `default`. */
  get namespace(): string {
    return this.flags.namespace || this.client.config.namespace || 'default'
  }

  /** Fires when the user, or the verb, wants an end of it. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.io.signal, this.#ended.signal])
  }

  /** Where requests have gone so far; empty before the first. */
  get server(): string {
    return this.#client?.config.server ?? ''
  }

  /** What the server serves; asked once. */
  kinds(): Promise<Kinds> {
    this.#kinds ??= discoverKinds(this.client, this.io.signal)
    return this.#kinds
  }

  /** What is served has changed: ask again. */
  forgetKinds(): void {
    this.#kinds = undefined
  }

  /** A request whose answer is JSON. What the server warns of is shown, unless nobody asked for that in particular. */
  async json<R>(method: string, path: string, request: RawRequest & Quietness = {}): Promise<R> {
    const answer = await this.raw(method, path, request)
    const chunks: Buffer[] = []
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
    return JSON.parse(Buffer.concat(chunks).toString()) as R
  }

  /** A request whose answer is read as it comes, uncompressed. */
  async raw(method: string, path: string, { quiet, ...request }: RawRequest & Quietness = {}) {
    const answer = await this.client
      .raw(method, path, {
        signal: this.signal,
        ...request,
        headers: { 'accept-encoding': 'identity', ...this.headers, ...request.headers },
      })
      .catch((error: unknown) => {
        throw isNotServed(error, path) ? new CliError(`${this.server} cannot do that: it is no Gantry server`) : error
      })
    for (const warning of quiet ? [] : warningsOf(answer.headers.warning)) {
      // The same of every page of a list says nothing new.
      if (this.#warnings.has(warning)) continue
      this.#warnings.add(warning)
      this.io.err(`Warning: ${warning}\n`)
    }
    return answer
  }

  /** Ends what still waits for an answer. */
  close(): void {
    this.#ended.abort()
    this.#client?.close()
  }
}

/** Other servers know nothing of what is only Gantry's: there is not even a refusal of theirs. */
const isNotServed = (error: unknown, path: string): boolean =>
  path.startsWith('/apis/gantry.dev/') && isNotFound(error) && (error as Error).message.startsWith('404 page not found')

/** Whom a request is made for, where that is somebody else. Throws for groups and the like of nobody. */
function impersonation({ as, asGroup, asUid, asUserExtra }: SharedFlags): Record<string, string> {
  if (!as) {
    if (asGroup || asUid || asUserExtra)
      throw new CliError('requesting uid, groups or user-extra without impersonating a user: add --as=USER')
    return {}
  }
  const extra = (asUserExtra ?? []).map((word) => {
    const at = word.indexOf('=')
    if (at <= 0) throw new CliError(`--as-user-extra=${word}: write KEY=VALUE`)
    return [`impersonate-extra-${encodeURIComponent(word.slice(0, at)).toLowerCase()}`, word.slice(at + 1)]
  })
  return {
    'impersonate-user': as,
    ...(asGroup ? { 'impersonate-group': asGroup.join(',') } : {}),
    ...(asUid ? { 'impersonate-uid': asUid } : {}),
    ...Object.fromEntries(extra),
  }
}

/** The texts of Warning headers: `299 - "text"`. */
export function warningsOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '')
  return Array.from(text.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g), ([, quoted]) =>
    (quoted as string).replace(/\\(.)/g, '$1'),
  )
}

/** By the proxy of the environment, where the kubeconfig names none. */
function reachable(config: ClientConfig, env: NodeJS.ProcessEnv): ClientConfig {
  const proxyUrl = config.proxyUrl ?? proxyFromEnvironment(config.server, env)
  return proxyUrl ? { ...config, proxyUrl } : config
}

/** The kubeconfig in use: the flag's, $KUBECONFIG's, that of the cluster of this directory, or the user's own. */
function configFor(io: Io, flags: SharedFlags): ClientConfig {
  const local = resolve('.gantry/kubeconfig')
  const named = flags.kubeconfig || io.env.KUBECONFIG
  if (flags.insecureSkipTlsVerify && flags.certificateAuthority)
    throw new CliError('specifying a root certificates file with the insecure flag is not allowed')
  const file = named || (existsSync(local) ? local : '')
  const override = {
    ...(flags.token ? { token: flags.token } : {}),
    ...(flags.insecureSkipTlsVerify ? { insecureSkipTlsVerify: true } : {}),
    ...(flags.tlsServerName ? { tlsServerName: flags.tlsServerName } : {}),
    ...(flags.certificateAuthority ? { ca: bytesOf(flags.certificateAuthority) } : {}),
    ...(flags.clientCertificate ? { cert: bytesOf(flags.clientCertificate) } : {}),
    ...(flags.clientKey ? { key: bytesOf(flags.clientKey) } : {}),
    userAgent: 'gantry-cli',
  }
  if (flags.server && !file && !existsSync(resolve(homedir(), '.kube/config')))
    return { server: flags.server.replace(/\/+$/, ''), ...override }
  try {
    const config = loadConfig({
      ...(file ? { kubeconfig: file } : {}),
      ...(flags.context ? { context: flags.context } : {}),
      ...(flags.cluster ? { cluster: flags.cluster } : {}),
      ...(flags.user ? { user: flags.user } : {}),
      ...(flags.server ? { server: flags.server } : {}),
      env: io.env,
    })
    return { ...config, ...override }
  } catch (error) {
    const { message } = error as Error
    if (file || !message.startsWith('no kubeconfig')) throw new CliError(message)
    throw new CliError(
      'no cluster is known here: start one with `gantry up`, or name a kubeconfig with --kubeconfig or $KUBECONFIG',
    )
  }
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new CliError(`unable to read ${file}: ${(error as Error).message}`)
  }
}
