import { setTimeout as delay } from 'node:timers/promises'
import type {
  Author,
  Change,
  Commit,
  Entry,
  ListOptions,
  ListResult,
  Progress,
  Revision,
  Store,
  StoreEvent,
  Version,
  VersionsOptions,
} from '../../apiserver/storage/store.ts'

/** A store whose watches lag, stall and break when told to. Everything else passes through. */
export class FaultyStore implements Store {
  /** Each batch of a watch arrives so much later. */
  watchDelayMs = 0
  readonly inner: Store
  #held: { promise: Promise<void>; release: () => void } | undefined
  readonly #watches = new Set<AbortController>()

  constructor(inner: Store) {
    this.inner = inner
  }

  /** From now on watches deliver nothing, until {@link heal}. */
  hold(): void {
    if (this.#held) return
    let release = () => {}
    const promise = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#held = { promise, release }
  }

  /** Breaks every watch that runs, as a lost connection would. */
  cut(): void {
    for (const watch of this.#watches) watch.abort()
  }

  heal(): void {
    this.watchDelayMs = 0
    this.#held?.release()
    this.#held = undefined
  }

  async *watch(prefix: string, after: Revision, signal: AbortSignal): AsyncGenerator<StoreEvent[] | Progress> {
    const broken = new AbortController()
    this.#watches.add(broken)
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
      broken.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    try {
      for await (const batch of this.inner.watch(prefix, after, AbortSignal.any([signal, broken.signal]))) {
        if (this.watchDelayMs > 0) await Promise.race([delay(this.watchDelayMs), stopped])
        if (this.#held) await Promise.race([this.#held.promise, stopped])
        if (signal.aborted) return
        if (broken.signal.aborted) break
        yield batch
      }
      if (!signal.aborted) throw new Error('the watch was cut')
    } finally {
      this.#watches.delete(broken)
    }
  }

  get(key: string, at?: Revision): Promise<Entry | undefined> {
    return this.inner.get(key, at)
  }
  list(prefix: string, options?: ListOptions): Promise<ListResult> {
    return this.inner.list(prefix, options)
  }
  commit(changes: readonly Change[], author?: Author): Promise<Revision> {
    return this.inner.commit(changes, author)
  }
  oldest(): Promise<Revision> {
    return this.inner.oldest()
  }
  commitAt(at: Revision): Promise<Commit | undefined> {
    return this.inner.commitAt(at)
  }
  versions(key: string, options: VersionsOptions): Promise<{ versions: Version[]; more: boolean }> {
    return this.inner.versions(key, options)
  }
  requestProgress(): Promise<void> {
    return this.inner.requestProgress()
  }
  compact(below: Revision): Promise<void> {
    return this.inner.compact(below)
  }
  revision(): Promise<Revision> {
    return this.inner.revision()
  }
  sizeBytes(): Promise<number> {
    return this.inner.sizeBytes()
  }
  snapshot(): AsyncIterable<Uint8Array> {
    return this.inner.snapshot()
  }
  close(): Promise<void> {
    this.heal()
    return this.inner.close()
  }
}
