import { systemClock } from './clock.ts'
import type { Clock } from './types.ts'

export interface WorkQueueOptions {
  clock?: Clock
  /** The first wait of a key that failed; it doubles with each failure. */
  baseDelayMs?: number
  maxDelayMs?: number
  name?: string
}

/**
 * Keys to work on. Each is in it once, and worked on by one worker at a time: a key added while it is worked on comes
 * again when that is done. Upstream's three sets: what is dirty, what is being processed, and the order of the rest.
 */
export class WorkQueue<K = string> {
  readonly name: string
  readonly #clock: Clock
  readonly #baseDelayMs: number
  readonly #maxDelayMs: number
  readonly #dirty = new Set<K>()
  readonly #processing = new Set<K>()
  #queue: K[] = []
  #head = 0
  readonly #failures = new Map<K, number>()
  /** When a waiting key is due, and what ends the wait. */
  readonly #waiting = new Map<K, { dueAt: number; cancel: AbortController }>()
  readonly #takers: ((key: K | undefined) => void)[] = []
  #closed = false

  constructor({ clock = systemClock, baseDelayMs = 5, maxDelayMs = 1_000_000, name = '' }: WorkQueueOptions = {}) {
    this.#clock = clock
    this.#baseDelayMs = baseDelayMs
    this.#maxDelayMs = maxDelayMs
    this.name = name
  }

  /** Keys that wait for a worker now. */
  get length(): number {
    return this.#queue.length - this.#head
  }

  add(key: K): void {
    if (this.#closed || this.#dirty.has(key)) return
    this.#dirty.add(key)
    if (!this.#processing.has(key)) this.#push(key)
  }

  /** Adds the key after `ms`; of several waits the one that ends first counts. */
  addAfter(key: K, ms: number): void {
    if (this.#closed) return
    if (ms <= 0) {
      this.add(key)
      return
    }
    const dueAt = this.#clock.now() + ms
    const standing = this.#waiting.get(key)
    if (standing) {
      if (standing.dueAt <= dueAt) return
      standing.cancel.abort()
    }
    const cancel = new AbortController()
    this.#waiting.set(key, { dueAt, cancel })
    this.#clock.sleep(ms, cancel.signal).then(
      () => {
        this.#waiting.delete(key)
        this.add(key)
      },
      () => {},
    )
  }

  /** Adds the key after the wait that its failures so far have earned. */
  addRateLimited(key: K): void {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    this.addAfter(key, Math.min(this.#baseDelayMs * 2 ** Math.min(failures, 60), this.#maxDelayMs))
  }

  /** The key has succeeded: its next failure is the first again. */
  forget(key: K): void {
    this.#failures.delete(key)
  }

  /** How often the key has failed since it was forgotten. */
  retries(key: K): number {
    return this.#failures.get(key) ?? 0
  }

  /** The next key, when there is one; undefined after {@link shutDown}. Say {@link done} afterwards. */
  get(): Promise<K | undefined> {
    if (this.length > 0) return Promise.resolve(this.#take())
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#takers.push(resolve))
  }

  /** The worker is through with the key. */
  done(key: K): void {
    this.#processing.delete(key)
    if (this.#dirty.has(key)) this.#push(key)
  }

  /** Nothing is added any more; who waits for a key is told that there is none. */
  shutDown(): void {
    this.#closed = true
    for (const { cancel } of this.#waiting.values()) cancel.abort()
    this.#waiting.clear()
    for (const taker of this.#takers.splice(0)) taker(undefined)
  }

  #push(key: K): void {
    this.#queue.push(key)
    const taker = this.#takers.shift()
    if (taker) taker(this.#take())
  }

  #take(): K {
    const key = this.#queue[this.#head++] as K
    if (this.#head > 1000 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    this.#dirty.delete(key)
    this.#processing.add(key)
    return key
  }
}
