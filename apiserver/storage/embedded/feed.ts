import type { Progress, Revision, StoreEvent } from '../store.ts'
import { Unavailable } from '../store.ts'

/** What one watcher may have waiting before it is fed from the history instead. */
const queueEvents = 10_000
const queueBytes = 16 << 20
/** What is read from the history at a time. */
export const replayBytes = 1 << 20

/** Events of the history after a revision, and the revision they reach. Throws Compacted. */
export type Replay = (prefix: string, after: Revision) => Promise<{ events: StoreEvent[]; reached: Revision }>

/** Brings committed events to the watchers, in process. */
export class Feed {
  readonly #watchers = new Set<Watcher>()
  readonly #replay: Replay
  #revision: Revision

  constructor(revision: Revision, replay: Replay) {
    this.#revision = revision
    this.#replay = replay
  }

  /** Tells of one or more whole commits, in order. */
  publish(revision: Revision, events: StoreEvent[]): void {
    this.#revision = revision
    for (const watcher of this.#watchers) watcher.offer(revision, events)
  }

  /** Has every watcher told how far it is. */
  progress(): void {
    for (const watcher of this.#watchers) watcher.askProgress()
  }

  /** Ends every watch with an error. */
  close(): void {
    for (const watcher of this.#watchers) watcher.fail(new Unavailable('the store is closed'))
  }

  async *watch(prefix: string, after: Revision, signal: AbortSignal): AsyncGenerator<StoreEvent[] | Progress> {
    const watcher = new Watcher(prefix, after, this.#revision, this.#replay)
    this.#watchers.add(watcher)
    const stop = () => watcher.stop()
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted) {
        const next = (await watcher.catchUp()) ?? watcher.take()
        if (next) yield next
        else if (await watcher.wait()) return
      }
    } finally {
      signal.removeEventListener('abort', stop)
      this.#watchers.delete(watcher)
    }
  }
}

class Watcher {
  readonly #prefix: string
  readonly #replay: Replay
  #queue: StoreEvent[] = []
  #queuedBytes = 0
  /** All after this revision is in the queue; what is before it and not yet delivered is in the history. */
  #queuedAfter: Revision
  /** All up to here is in the queue or delivered. */
  #seen: Revision
  /** All up to here is delivered. */
  #delivered: Revision
  #progressAsked = false
  #stopped = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  constructor(prefix: string, after: Revision, revision: Revision, replay: Replay) {
    this.#prefix = prefix
    this.#replay = replay
    this.#delivered = after
    this.#queuedAfter = Math.max(after, revision)
    this.#seen = this.#queuedAfter
  }

  offer(revision: Revision, events: StoreEvent[]): void {
    const mine = this.#wanted(events)
    this.#seen = Math.max(this.#seen, revision)
    if (mine.length === 0) return
    for (const event of mine) this.#queuedBytes += (event.value?.length ?? 0) + (event.previous?.length ?? 0)
    if (this.#queue.length + mine.length > queueEvents || this.#queuedBytes > queueBytes) {
      this.#queue = []
      this.#queuedBytes = 0
      this.#queuedAfter = revision
    } else if (this.#queue.length === 0) this.#queue = mine
    else this.#queue = this.#queue.concat(mine)
    this.#wake?.()
  }

  #wanted(events: StoreEvent[]): StoreEvent[] {
    const prefix = this.#prefix
    // The watch may have begun after a revision that a reader saw on disk before it was announced here.
    const early = (events[0]?.revision ?? 0) <= this.#queuedAfter
    if (!early && (prefix === '' || prefix === '/')) return events
    return events.filter((event) => event.revision > this.#queuedAfter && event.key.startsWith(prefix))
  }

  askProgress(): void {
    this.#progressAsked = true
    this.#wake?.()
  }

  stop(): void {
    this.#stopped = true
    this.#wake?.()
  }

  fail(error: Error): void {
    this.#error = error
    this.#wake?.()
  }

  /** What is missing before the queue begins, from the history. Throws Compacted when that has gone. */
  async catchUp(): Promise<StoreEvent[] | undefined> {
    while (this.#delivered < this.#queuedAfter) {
      const { events, reached } = await this.#replay(this.#prefix, this.#delivered)
      // The history may already reach into what is queued: that part is delivered from the queue.
      const until = this.#queuedAfter
      this.#delivered = Math.min(reached, until)
      const missing = reached > until ? events.filter((event) => event.revision <= until) : events
      if (missing.length > 0) return missing
    }
    return undefined
  }

  /** What waits in the queue, if anything. */
  take(): StoreEvent[] | Progress | undefined {
    if (this.#queue.length > 0) {
      const events = this.#queue
      this.#queue = []
      this.#queuedBytes = 0
      this.#delivered = this.#queuedAfter = this.#seen
      return events
    }
    if (!this.#progressAsked) return undefined
    this.#progressAsked = false
    this.#delivered = this.#queuedAfter = this.#seen
    return { progress: this.#seen }
  }

  /** Until there may be something to take; true when the watch is over. Throws when it ended with an error. */
  async wait(): Promise<boolean> {
    if (this.#error) throw this.#error
    if (!this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    return this.#stopped
  }
}
