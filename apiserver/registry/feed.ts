import { setTimeout as delay } from 'node:timers/promises'
import { Compacted, type Entry, type Revision, type Store, type StoreEvent } from '../storage/store.ts'

/** One kind's place to put what the store says. */
export interface FeedSink {
  /** Ends with a slash. */
  readonly prefix: string
  /** Replaces everything: at the start, and when history was lost. */
  reset(entries: Entry[], revision: Revision): void
  /** Changes of one commit, in order. */
  apply(events: StoreEvent[]): void
}

export interface FeedOptions {
  onError?: (error: unknown) => void
}

/**
 * Follows the whole store with one watch and hands each change to the cache of its kind. One watch for all, because
 * the revision is one count for the whole store: a consistent read then waits for a single number.
 */
export class StoreFeed {
  /** Everything up to here has been handed to the caches. */
  revision: Revision = 0
  readonly #store: Store
  readonly #sinks = new Map<string, FeedSink>()
  readonly #onError: (error: unknown) => void
  readonly #abort = new AbortController()
  readonly #waiting: { revision: Revision; resolve: () => void }[] = []
  readonly #progressListeners = new Set<() => void>()
  #running: Promise<void> | undefined
  #asked = false

  constructor(store: Store, options: FeedOptions = {}) {
    this.#store = store
    this.#onError = options.onError ?? (() => {})
  }

  /** Adds a cache before {@link start}, which fills it. */
  add(sink: FeedSink): void {
    this.#sinks.set(sink.prefix, sink)
  }

  /**
   * Adds a cache while the feed runs, in the place of one of the same prefix. Resolves when it is filled, at a revision
   * the feed has reached, so that from then on it is as fresh as all others. Throws if the store cannot be read.
   */
  async load(sink: FeedSink): Promise<void> {
    const arrivals = new Arrivals(sink.prefix, this.#sinks.get(sink.prefix))
    this.#sinks.set(sink.prefix, arrivals)
    try {
      const { entries, revision } = await this.#listAll(sink.prefix)
      while (!(await this.waitFor(revision))) this.#abort.signal.throwIfAborted()
      arrivals.handOver(sink, entries, revision)
      this.#sinks.set(sink.prefix, sink)
    } catch (error) {
      if (arrivals.standing) this.#sinks.set(sink.prefix, arrivals.standing)
      else this.#sinks.delete(sink.prefix)
      throw error
    }
  }

  remove(sink: FeedSink): void {
    if (this.#sinks.get(sink.prefix) === sink) this.#sinks.delete(sink.prefix)
  }

  /** Loads everything and begins to follow. Resolves when every cache is filled; throws if the store cannot be read. */
  async start(): Promise<void> {
    await this.#load()
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }

  /** Called after each step of the revision. */
  onProgress(listener: () => void): () => void {
    this.#progressListeners.add(listener)
    return () => this.#progressListeners.delete(listener)
  }

  /** Resolves true when the caches have reached `revision`, false after `timeoutMs`. */
  waitFor(revision: Revision, timeoutMs = 3000): Promise<boolean> {
    if (this.revision >= revision) return Promise.resolve(true)
    return new Promise((resolve) => {
      const waiter = {
        revision,
        resolve: () => {
          clearTimeout(timer)
          resolve(true)
        },
      }
      const timer = setTimeout(() => {
        const at = this.#waiting.indexOf(waiter)
        if (at >= 0) this.#waiting.splice(at, 1)
        resolve(false)
      }, timeoutMs)
      this.#waiting.push(waiter)
      this.#askForProgress()
    })
  }

  /** Brings the caches to the newest committed revision: after this, a read of a cache is linearizable. */
  async catchUp(): Promise<boolean> {
    return this.waitFor(await this.#store.revision())
  }

  #askForProgress(): void {
    if (this.#asked) return
    this.#asked = true
    // One request serves all that wait now; those that come later ask again.
    queueMicrotask(() => {
      this.#asked = false
      this.#store.requestProgress().catch((error) => this.#onError(error))
    })
  }

  async #load(): Promise<void> {
    const { entries: all, revision } = await this.#listAll('/')
    const bySink = new Map<FeedSink, Entry[]>()
    for (const sink of this.#sinks.values()) bySink.set(sink, [])
    for (const entry of all) {
      const sink = this.#sinkOf(entry.key)
      if (sink) bySink.get(sink)?.push(entry)
    }
    for (const [sink, entries] of bySink) sink.reset(entries, revision)
    this.#advance(revision)
  }

  /** Everything below a prefix, all of one revision. */
  async #listAll(prefix: string): Promise<{ entries: Entry[]; revision: Revision }> {
    const pages: Entry[][] = []
    let after: string | undefined
    let at: Revision | undefined
    for (;;) {
      const page = await this.#store.list(prefix, {
        limit: 5000,
        ...(after === undefined ? {} : { after }),
        ...(at === undefined ? {} : { at }),
      })
      pages.push(page.entries)
      at = page.revision
      if (!page.more) return { entries: pages.flat(), revision: at }
      after = page.entries.at(-1)?.key
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort
    let backoffMs = 50
    while (!signal.aborted) {
      try {
        for await (const batch of this.#store.watch('/', this.revision, signal)) {
          backoffMs = 50
          if ('progress' in batch) {
            this.#advance(batch.progress)
          } else {
            this.#dispatch(batch)
          }
        }
      } catch (error) {
        if (signal.aborted) return
        this.#onError(error)
        try {
          // History is gone: start over. Watchers are ended by the caches' reset.
          if (error instanceof Compacted) await this.#load()
        } catch (again) {
          this.#onError(again)
        }
      }
      if (signal.aborted) return
      await delay(backoffMs, undefined, { signal }).catch(() => {})
      backoffMs = Math.min(backoffMs * 2, 2000)
    }
  }

  #dispatch(batch: StoreEvent[]): void {
    const last = batch.at(-1)
    if (!last) return
    const first = batch[0] as StoreEvent
    const only = this.#sinkOf(first.key)
    if (batch.length === 1) {
      only?.apply(batch)
    } else {
      const bySink = new Map<FeedSink, StoreEvent[]>()
      for (const event of batch) {
        const sink = this.#sinkOf(event.key)
        if (!sink) continue
        const events = bySink.get(sink)
        if (events) events.push(event)
        else bySink.set(sink, [event])
      }
      for (const [sink, events] of bySink) sink.apply(events)
    }
    this.#advance(last.revision)
  }

  #advance(revision: Revision): void {
    if (revision <= this.revision) return
    this.revision = revision
    if (this.#waiting.length > 0) {
      for (let i = this.#waiting.length - 1; i >= 0; i--) {
        const waiter = this.#waiting[i]
        if (waiter && waiter.revision <= revision) {
          this.#waiting.splice(i, 1)
          waiter.resolve()
        }
      }
    }
    for (const listener of this.#progressListeners) listener()
  }

  /** Prefixes have one to three parts; the longest that fits is the kind's. */
  #sinkOf(key: string): FeedSink | undefined {
    let end = key.indexOf('/', 1)
    while (end > 0) {
      const sink = this.#sinks.get(key.slice(0, end + 1))
      if (sink) return sink
      end = key.indexOf('/', end + 1)
    }
    return undefined
  }
}

/** Stands in for a cache that is being loaded: keeps what comes meanwhile, and serves the one that stood there before. */
class Arrivals implements FeedSink {
  readonly prefix: string
  readonly standing: FeedSink | undefined
  #batches: StoreEvent[][] = []
  #from: { entries: Entry[]; revision: Revision } | undefined

  constructor(prefix: string, standing: FeedSink | undefined) {
    this.prefix = prefix
    this.standing = standing
  }

  reset(entries: Entry[], revision: Revision): void {
    this.#from = { entries, revision }
    this.#batches = []
    this.standing?.reset(entries, revision)
  }

  apply(events: StoreEvent[]): void {
    this.#batches.push(events)
    this.standing?.apply(events)
  }

  /** Fills the cache with what was listed, or with what the feed itself has loaded since, and with all that came after. */
  handOver(sink: FeedSink, entries: Entry[], revision: Revision): void {
    const from = this.#from && this.#from.revision > revision ? this.#from : { entries, revision }
    sink.reset(from.entries, from.revision)
    for (const events of this.#batches) if ((events[0]?.revision ?? 0) > from.revision) sink.apply(events)
  }
}
