import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { Client, type RawRequest } from '../client/client.ts'
import { systemClock } from '../client/clock.ts'
import { type ClientConfig, loadConfig } from '../client/config.ts'
import type { Clock } from '../client/types.ts'
import { CliError } from './errors.ts'
import { parseDuration, type SharedFlags } from './flags.ts'
import type { Io } from './io.ts'
import { discoverKinds, type Kinds } from './kinds.ts'

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
  readonly #ended = new AbortController()

  constructor(io: Io, flags: SharedFlags, clock: Clock = systemClock) {
    this.io = io
    this.clock = clock
    this.flags = flags
    this.namespaceGiven = Boolean(flags.namespace)
    this.headers = flags.as
      ? { 'impersonate-user': flags.as, ...(flags.asGroup ? { 'impersonate-group': flags.asGroup.join(',') } : {}) }
      : {}
  }

  /** Made when it is first asked for: some verbs work without a cluster. */
  get client(): Client {
    if (!this.#client) {
      const { requestTimeout } = this.flags
      const timeoutMs = requestTimeout ? parseDuration(requestTimeout) : undefined
      this.#client = new Client(configFor(this.io, this.flags), {
        clock: this.clock,
        ...(timeoutMs ? { timeoutMs } : {}),
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

  /** A request whose answer is JSON. What the server warns of is shown. */
  async json<R>(method: string, path: string, request: RawRequest = {}): Promise<R> {
    const answer = await this.raw(method, path, request)
    const chunks: Buffer[] = []
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
    return JSON.parse(Buffer.concat(chunks).toString()) as R
  }

  /** A request whose answer is read as it comes, uncompressed. */
  async raw(method: string, path: string, request: RawRequest = {}) {
    const answer = await this.client.raw(method, path, {
      signal: this.signal,
      ...request,
      headers: { 'accept-encoding': 'identity', ...this.headers, ...request.headers },
    })
    for (const warning of warningsOf(answer.headers.warning)) this.io.err(`Warning: ${warning}\n`)
    return answer
  }

  /** Ends what still waits for an answer. */
  close(): void {
    this.#ended.abort()
    this.#client?.close()
  }
}

/** The texts of Warning headers: `299 - "text"`. */
export function warningsOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '')
  return Array.from(text.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g), ([, quoted]) =>
    (quoted as string).replace(/\\(.)/g, '$1'),
  )
}

/** The kubeconfig in use: the flag's, $KUBECONFIG's, that of the cluster of this directory, or the user's own. */
function configFor(io: Io, flags: SharedFlags): ClientConfig {
  const local = resolve('.gantry/kubeconfig')
  const named = flags.kubeconfig || io.env.KUBECONFIG
  const file = named || (existsSync(local) ? local : '')
  const override = {
    ...(flags.server ? { server: flags.server.replace(/\/+$/, '') } : {}),
    ...(flags.token ? { token: flags.token } : {}),
    ...(flags.insecureSkipTlsVerify ? { insecureSkipTlsVerify: true } : {}),
    userAgent: 'gantry-cli',
  }
  if (flags.server && !file && !existsSync(resolve(homedir(), '.kube/config')))
    return { server: flags.server, ...override }
  try {
    const config = loadConfig({
      ...(file ? { kubeconfig: file } : {}),
      ...(flags.context ? { context: flags.context } : {}),
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
