import { readFileSync } from 'node:fs'
import type { Agent as HttpAgent } from 'node:http'
import { Agent, type RequestOptions } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { ClientConfig, Credential } from './config.ts'
import { proxyAgent } from './proxy.ts'
import type { Clock } from './types.ts'

const tokenAgeMs = 60_000

/** What a request is sent with. */
interface Ways {
  /** The connections of requests: kept, and not more than so many. */
  requests: RequestOptions
  /** Those of watches and other streams, which last: they must not take the connections of requests. */
  streams: RequestOptions
}

/** How a client reaches its server: over TLS, with what it is known by, and through a proxy where one is between them. */
export class Connection {
  readonly url: URL
  readonly #config: ClientConfig
  readonly #clock: Clock
  readonly #maxSockets: number
  #ways: Ways | undefined
  #opening: Promise<Ways> | undefined
  #token: { text: string; readAt: number } | undefined
  #credential: Credential | undefined

  constructor(config: ClientConfig, clock: Clock, maxSockets: number) {
    this.#config = config
    this.#clock = clock
    this.#maxSockets = maxSockets
    this.url = new URL(config.server)
  }

  /** The Authorization header, where the client has a token. */
  authorization(): Record<string, string> {
    const { token = this.#credential?.token, tokenFile } = this.#config
    if (token) return { authorization: `Bearer ${token}` }
    if (!tokenFile) return {}
    if (!this.#token || this.#clock.now() - this.#token.readAt > tokenAgeMs)
      this.#token = { text: readFileSync(tokenFile, 'utf8').trim(), readAt: this.#clock.now() }
    return { authorization: `Bearer ${this.#token.text}` }
  }

  /** What a request is sent with, or a stream; undefined when {@link open} is to be awaited first. */
  way(kind: keyof Ways): RequestOptions | undefined {
    return this.#isLoggedIn() ? this.#ways?.[kind] : undefined
  }

  /** Logs in where that is needed, and resolves to what a request is sent with, or a stream. */
  async open(kind: keyof Ways): Promise<RequestOptions> {
    const ready = this.way(kind)
    if (ready) return ready
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return (await this.#opening)[kind]
  }

  /** By which requests are made of somebody who logs in; undefined for others. */
  get login(): object | undefined {
    return this.#credential
  }

  /** The server knew nobody by a {@link login}: true when it may be asked once more, by another. */
  renew(login: object | undefined): boolean {
    if (!login) return false
    // Of several requests that are refused at once, the first has done it.
    if (this.#credential === login) this.#forget()
    return true
  }

  /** Closes what is open. */
  close(): void {
    for (const agent of this.#agents()) agent.destroy()
    this.#ways = undefined
  }

  async #open(): Promise<Ways> {
    if (!this.#isLoggedIn()) {
      this.#forget()
      this.#credential = await this.#logIn()
    }
    this.#ways ??= await this.#makeWays()
    return this.#ways
  }

  async #logIn(): Promise<Credential | undefined> {
    const { exec, login } = this.#config
    if (login) return login()
    // Most users have no program, and need not wait until this is loaded.
    return exec && (await import('./exec-credential.ts')).runExec(exec)
  }

  async #makeWays(): Promise<Ways> {
    const { ca, cert, key, ...tls } = this.#tls()
    const { proxyUrl } = this.#config
    const isSecure = this.url.protocol === 'https:'
    // Read once: to take the certificates apart costs more than the rest of a connection, and than ten requests.
    const secureContext = isSecure ? createSecureContext({ ca, cert, key }) : undefined
    const limits = { keepAlive: true, maxSockets: this.#maxSockets, maxFreeSockets: this.#maxSockets }
    if (proxyUrl) {
      // By the protocol an agent of a proxy knows its connections again.
      const options = { protocol: this.url.protocol, ...(isSecure ? { secureContext, ...tls } : {}) }
      const [requests, streams] = await Promise.all([
        proxyAgent(proxyUrl, limits),
        proxyAgent(proxyUrl, { keepAlive: true }),
      ])
      return { requests: { agent: requests, ...options }, streams: { agent: streams, ...options } }
    }
    if (!isSecure) return { requests: {}, streams: {} }
    return {
      requests: { agent: new Agent({ ...limits, secureContext, ...tls }) },
      streams: { agent: new Agent({ keepAlive: true, secureContext, ...tls }) },
    }
  }

  #tls(): { ca?: Buffer; cert?: Buffer; key?: Buffer; rejectUnauthorized?: boolean; servername?: string } {
    const { ca, insecureSkipTlsVerify, tlsServerName } = this.#config
    const { cert, key } = { ...this.#config, ...this.#credential }
    return {
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
      ...(insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
      ...(tlsServerName ? { servername: tlsServerName } : {}),
    }
  }

  #agents(): HttpAgent[] {
    const { requests, streams } = this.#ways ?? {}
    return [requests?.agent, streams?.agent].filter((agent) => typeof agent === 'object')
  }

  #isLoggedIn(): boolean {
    if (!this.#config.exec && !this.#config.login) return true
    return (
      this.#credential !== undefined && this.#clock.now() < (this.#credential.expiresAt ?? Number.POSITIVE_INFINITY)
    )
  }

  #forget(): void {
    if (this.#credential?.cert) {
      // A connection is known by the certificate it was made with. Those in use end with their requests.
      for (const agent of this.#agents()) {
        agent.maxFreeSockets = 0
        for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
      }
      this.#ways = undefined
    }
    this.#credential = undefined
  }
}
