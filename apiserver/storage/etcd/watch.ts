import type { IDuplexStream, IEvent, IWatchRequest, IWatchResponse } from 'etcd3'
import type { Progress, Revision, StoreEvent } from '../store.ts'
import { Compacted, Unavailable } from '../store.ts'
import { type Connection, requireLeader } from './connection.ts'
import type { Keys } from './keys.ts'

/** What may wait for a slow consumer before we stop reading; etcd then keeps the rest in its history. */
const queueBytes = 16 << 20
const retryFirstMs = 50
const retryMostMs = 2_000

/** What etcd3 hands out is a Node stream, though its type does not say so. */
type Stream = IDuplexStream<IWatchRequest, IWatchResponse> & { pause(): void; resume(): void }

export interface WatchOptions {
  prefix: string
  /** Also watch {@link Keys.besides}, for servers whose progress responses cannot be trusted. */
  besides: boolean
}

/** One watch on etcd, which outlives streams and members: it resumes after the last revision it has delivered. */
export class EtcdWatch {
  readonly #connection: Connection
  readonly #keys: Keys
  readonly #options: WatchOptions
  #stream: Stream | undefined
  #queue: (StoreEvent[] | Progress)[] = []
  #queuedBytes = 0
  #isPaused = false
  /** All up to here has been queued. */
  #position: Revision
  #error: Error | undefined
  #isOver = false
  #wake: (() => void) | undefined
  #retryMs = retryFirstMs
  #retry: NodeJS.Timeout | undefined

  constructor(connection: Connection, keys: Keys, after: Revision, options: WatchOptions) {
    this.#connection = connection
    this.#keys = keys
    this.#options = options
    this.#position = after
  }

  /** All up to here has been received. */
  get position(): Revision {
    return this.#position
  }

  /** Batches and progress until the signal aborts. Throws Compacted. */
  async *run(signal: AbortSignal): AsyncGenerator<StoreEvent[] | Progress> {
    const stop = () => this.end()
    signal.addEventListener('abort', stop)
    try {
      if (signal.aborted) return
      this.#open()
      while (!this.#isOver) {
        const next = this.#take()
        if (next) {
          yield next
          continue
        }
        if (this.#error) throw this.#error
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
      if (this.#error) throw this.#error
    } finally {
      signal.removeEventListener('abort', stop)
      this.end()
    }
  }

  /** Asks the server how far the stream is; the answer arrives as progress, if the server can be trusted with it. */
  askProgress(): void {
    this.#stream?.write({ progress_request: {} })
  }

  /** Tells the consumer that it has everything up to `revision`, if that has been received. */
  confirm(revision: Revision): boolean {
    if (this.#position < revision) return false
    this.#push({ progress: this.#position }, 0)
    return true
  }

  /** Ends the watch, with an error or without. */
  end(error?: Error): void {
    this.#error ??= error
    this.#isOver = true
    clearTimeout(this.#retry)
    const stream = this.#stream
    this.#stream = undefined
    stream?.cancel()
    this.#wake?.()
  }

  #open(): void {
    const { member, failed } = this.#connection.lasting()
    const again = () => {
      if (this.#isOver) return
      failed()
      this.#stream = undefined
      clearTimeout(this.#retry)
      this.#retry = setTimeout(() => this.#open(), this.#retryMs)
      this.#retryMs = Math.min(this.#retryMs * 2, retryMostMs)
    }
    member.watchClient
      .watch(requireLeader)
      .then((stream) => this.#begin(stream as Stream, again))
      .catch(again)
  }

  #begin(stream: Stream, again: () => void): void {
    if (this.#isOver) {
      stream.on('error', ignore)
      stream.cancel()
      return
    }
    this.#stream = stream
    const over = () => {
      if (this.#stream === stream) again()
    }
    stream.on('error', over)
    stream.on('end', over)
    stream.on('data', (response) => {
      if (this.#stream !== stream) return
      this.#retryMs = retryFirstMs
      this.#receive(response, () => {
        stream.cancel()
        over()
      })
    })
    this.#isPaused = false
    if (this.#queuedBytes > queueBytes) this.#pause()
    const range = this.#keys
    stream.write({
      create_request: {
        key: this.#options.besides ? range.besides : range.start(this.#options.prefix),
        range_end: range.end(this.#options.prefix),
        // From the last revision had, not the one after it: only so does etcd refuse exactly what a watch after a
        // compacted revision must be refused. What is had already is dropped.
        start_revision: String(Math.max(this.#position, 1)),
        prev_kv: true,
        progress_notify: true,
      },
    })
  }

  #receive(response: IWatchResponse, restart: () => void): void {
    if (response.canceled) {
      const compacted = Number(response.compact_revision)
      if (compacted > 0) this.end(new Compacted(this.#position, compacted))
      else restart()
      return
    }
    if (response.created) return
    if (response.events.length === 0) {
      // Manual answers of old servers may overtake events: EtcdOptions.progress.
      const isTrusted = !this.#options.besides || response.watch_id !== '-1'
      const revision = Number(response.header.revision)
      if (!isTrusted || revision < this.#position) return
      this.#position = revision
      this.#push({ progress: revision }, 0)
      return
    }
    const events: StoreEvent[] = []
    let bytes = 0
    let reached = this.#position
    for (const raw of response.events) {
      const revision = Number(raw.kv.mod_revision)
      if (revision <= this.#position) continue
      reached = revision
      const event = this.#event(raw, revision)
      if (!event) continue
      events.push(event)
      bytes += (event.value?.length ?? 0) + (event.previous?.length ?? 0)
    }
    this.#position = reached
    if (events.length > 0) this.#push(events, bytes)
  }

  #event(raw: IEvent, revision: Revision): StoreEvent | undefined {
    const key = this.#keys.own(raw.kv.key)
    if (key === undefined || !key.startsWith(this.#options.prefix)) return undefined
    const isPut = raw.type === 'Put' || (raw.type as string) === 'PUT'
    return {
      type: isPut ? 'put' : 'delete',
      key,
      revision,
      value: isPut ? raw.kv.value : undefined,
      previous: raw.prev_kv?.value,
      created: isPut && raw.kv.create_revision === raw.kv.mod_revision,
    }
  }

  #push(item: StoreEvent[] | Progress, bytes: number): void {
    this.#queue.push(item)
    this.#queuedBytes += bytes
    if (this.#queuedBytes > queueBytes) this.#pause()
    this.#wake?.()
  }

  #take(): StoreEvent[] | Progress | undefined {
    const next = this.#queue.shift()
    if (!next) return undefined
    // Counted down in one go: what matters is that it was too much and is no more.
    if (this.#queue.length === 0) {
      this.#queuedBytes = 0
      if (this.#isPaused) {
        this.#isPaused = false
        this.#stream?.resume()
      }
    }
    return next
  }

  #pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#stream?.pause()
  }
}

/** What ends every watch of a store that is closed. */
export function closedError(): Unavailable {
  return new Unavailable('the store is closed')
}

function ignore(): void {}
