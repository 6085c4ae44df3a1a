import { type CallOptions, type InterceptingCall, type Interceptor, InterceptingCall as NextCall } from '@grpc/grpc-js'
import { Etcd3, type IOptions } from 'etcd3'
import { Unavailable } from '../store.ts'

export interface ConnectionOptions {
  /** `http(s)://host:port` of one or more members. */
  endpoints: readonly string[]
  /** PEM. Without `ca` an https endpoint is verified against the system's authorities. */
  tls?: { ca?: Buffer; cert?: Buffer; key?: Buffer }
  /** How long a connection may take to come up at start. Default 20 s, upstream's. */
  dialTimeoutMs?: number
  /** How long a request may take in all. Default 10 s. */
  requestTimeoutMs?: number
}

/** How long one member may take to answer a read before another is asked. */
const attemptMs = 3_000
const retryFirstMs = 50
const retryMostMs = 1_000

/** etcd's members behind one call: the one that answered last is asked first, the others when it does not. */
export class Connection {
  readonly #members: Etcd3[]
  readonly #requestTimeoutMs: number
  readonly #dialTimeoutMs: number
  #preferred = 0
  #closed = false

  constructor(options: ConnectionOptions) {
    if (options.endpoints.length === 0) throw new TypeError('etcd needs at least one endpoint')
    this.#members = options.endpoints.map((endpoint) => new Etcd3(memberOptions(endpoint, options)))
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 10_000
    this.#dialTimeoutMs = options.dialTimeoutMs ?? 20_000
  }

  /**
   * A request that may be repeated. Throws {@link Unavailable} when no member answers in time, and what etcd says
   * (see {@link etcdCode}) when one refuses.
   */
  read<T>(
    request: (member: Etcd3, options: CallOptions) => Promise<T>,
    timeoutMs = this.#requestTimeoutMs,
  ): Promise<T> {
    return this.#call(request, timeoutMs, true)
  }

  /** A request that must not be repeated once it may have arrived: then {@link Unavailable} says `unknown`. */
  write<T>(request: (member: Etcd3, options: CallOptions) => Promise<T>): Promise<T> {
    return this.#call(request, this.#requestTimeoutMs, false)
  }

  /** Waits for the first answer of any member. Throws {@link Unavailable} after the dial timeout. */
  async dial(): Promise<void> {
    await this.read(
      (member, options) => member.kv.range({ key: Buffer.from('/'), count_only: true }, options),
      this.#dialTimeoutMs,
    )
  }

  /** A member for something that lasts, like a watch; `failed` has the next caller given another. */
  lasting(): { member: Etcd3; failed: () => void } {
    const index = this.#preferred
    return { member: this.#members[index]!, failed: () => this.#prefersAnother(index) }
  }

  close(): void {
    this.#closed = true
    for (const member of this.#members) member.close()
  }

  async #call<T>(
    request: (member: Etcd3, options: CallOptions) => Promise<T>,
    timeoutMs: number,
    isRepeatable: boolean,
  ): Promise<T> {
    const deadline = Date.now() + timeoutMs
    for (let wait = retryFirstMs; ; wait = Math.min(wait * 2, retryMostMs)) {
      if (this.#closed) throw new Unavailable('the store is closed')
      const index = this.#preferred
      const share = isRepeatable && this.#members.length > 1 ? Math.min(attemptMs, timeoutMs / 2) : timeoutMs
      try {
        return await request(this.#members[index]!, { deadline: Math.min(deadline, Date.now() + share) })
      } catch (error) {
        const verdict = judge(error)
        if (verdict === 'refused') throw error
        this.#prefersAnother(index)
        const mayRepeat = isRepeatable || verdict === 'unsent'
        if (mayRepeat && Date.now() + wait < deadline && !this.#closed) {
          await new Promise((resolve) => setTimeout(resolve, wait))
          continue
        }
        const reason = error instanceof Error ? error.message : String(error)
        throw new Unavailable(`etcd does not answer: ${reason}`, {
          cause: error,
          unknown: verdict === 'lost' && !isRepeatable,
        })
      }
    }
  }

  #prefersAnother(failed: number): void {
    if (this.#preferred === failed) this.#preferred = (failed + 1) % this.#members.length
  }
}

/** The gRPC status code at the head of an error's message; etcd3's error classes do not carry it. */
export function etcdCode(error: unknown): number | undefined {
  const match = error instanceof Error ? /(?:^|: )(\d+) [A-Z_]+:/.exec(error.message) : null
  return match ? Number(match[1]) : undefined
}

const cancelled = 1
const unknown = 2
const deadlineExceeded = 4
const resourceExhausted = 8
const aborted = 10
const internal = 13
const unavailable = 14

/** What a failure means: etcd answered with a refusal, the request never left, it was turned away, or nobody knows. */
function judge(error: unknown): 'refused' | 'unsent' | 'declined' | 'lost' {
  const message = error instanceof Error ? error.message : String(error)
  switch (etcdCode(error)) {
    case unavailable:
      return /No connection established|ECONNREFUSED|Channel closed before/.test(message) ? 'unsent' : 'lost'
    case resourceExhausted:
      // Its database is full, or it has too many requests.
      return 'declined'
    case cancelled:
    case unknown:
    case deadlineExceeded:
    case aborted:
    case internal:
      return 'lost'
    case undefined:
      return /closed/.test(message) ? 'unsent' : 'refused'
    default:
      return 'refused'
  }
}

/** Has a member end a stream when it has lost its leader, rather than keep it open in silence. */
export const requireLeader: CallOptions = {
  interceptors: [
    ((options, nextCall): InterceptingCall =>
      new NextCall(nextCall(options), {
        start(metadata, listener, next) {
          metadata.set('hasleader', 'true')
          next(metadata, listener)
        },
      })) as Interceptor,
  ],
}

function memberOptions(endpoint: string, { tls }: ConnectionOptions): IOptions {
  const credentials = tls?.ca && {
    rootCertificate: tls.ca,
    ...(tls.key && tls.cert ? { privateKey: tls.key, certChain: tls.cert } : {}),
  }
  return {
    hosts: endpoint,
    ...(credentials ? { credentials } : {}),
    // Retries and breakers are ours: etcd3's own repeat writes whose outcome is unknown.
    faultHandling: { global: passThrough, host: () => passThrough },
    grpcOptions: {
      'grpc.max_receive_message_length': -1,
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5_000,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2_000,
    },
  }
}

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>

const passThrough = {
  async execute(run: (context: { signal: AbortSignal }) => unknown) {
    return run({ signal: neverAborted })
  },
} as unknown as Policy

const neverAborted = new AbortController().signal
