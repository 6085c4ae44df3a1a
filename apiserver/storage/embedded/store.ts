import { statSync } from 'node:fs'
import { join } from 'node:path'
import { encodeSnapshot, type SnapshotEntry } from '../snapshot-format.ts'
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
} from '../store.ts'
import { Compacted, checkChanges, FutureRevision, StoreUnusable, Unavailable } from '../store.ts'
import { dataFile, openDirectory } from './directory.ts'
import { Feed, replayBytes } from './feed.ts'
import { Forgetter, type HistoryLimits } from './forgetting.ts'
import { decodeMeta, decodeRow, type Meta, metaKey, tagged } from './layout.ts'
import { type Lock, lockDirectory } from './lock.ts'
import { checkReadable, readEntry, readNote, readPage, readVersions, replay } from './reader.ts'
import type { Tree } from './tree.ts'
import { nextExpiry, Writer } from './writer.ts'

export interface EmbeddedOptions {
  /** Where the store lies; made if missing. One process at a time. */
  directory: string
  /** History younger than this is kept. Default 5 minutes. */
  historyKeepMs?: number
  /** Beyond so many bytes the oldest history goes, however young. Default 256 MiB. */
  historyMaxBytes?: number
  /** How often history is forgotten. Default 10 seconds. */
  historyIntervalMs?: number
  /** How often watchers are told how far they are. Default 5 seconds. */
  progressIntervalMs?: number
  /** Milliseconds since 1970. Default the system's clock. */
  now?: () => number
  /** Told of failures of work that nobody waits for. Default: a process warning. */
  onError?: (error: unknown) => void
}

/** Entries and bytes read before others get a turn. */
const pageEntries = 1000
const pageBytes = 4 << 20
/** A read brings its page of the file into memory, and the kernel some of those around it. */
const touchedPerRead = 8192

/**
 * Opens the store in a directory of this machine, making it if there is none. Throws {@link StoreUnusable}, changing
 * nothing, when another process has it, or when what is there is damaged, of another format, or not a store.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Store> {
  const lock = await lockDirectory(options.directory)
  try {
    const { tree, meta } = await openDirectory(options.directory)
    return new EmbeddedStore(options, lock, tree, meta)
  } catch (error) {
    await lock.release()
    throw error
  }
}

class EmbeddedStore implements Store {
  readonly #options: EmbeddedOptions
  readonly #lock: Lock
  readonly #tree: Tree
  readonly #writer: Writer
  readonly #feed: Feed
  readonly #forgetter: Forgetter
  readonly #now: () => number
  readonly #timers: NodeJS.Timeout[]
  #expiryTimer: NodeJS.Timeout | undefined
  #expiryAtMs = Number.POSITIVE_INFINITY
  #compactions: { below: Revision; resolve: () => void; reject: (error: Error) => void }[] = []
  #closing: Promise<void> | undefined

  constructor(options: EmbeddedOptions, lock: Lock, tree: Tree, meta: Meta) {
    const limits: HistoryLimits = {
      keepMs: options.historyKeepMs ?? 300_000,
      maxBytes: options.historyMaxBytes ?? 256 << 20,
    }
    this.#options = options
    this.#lock = lock
    this.#tree = tree
    this.#now = options.now ?? Date.now
    this.#forgetter = new Forgetter(meta.compacted, limits)
    this.#writer = new Writer(tree, meta, {
      now: this.#now,
      onCommitted: (revision, events) => this.#committed(revision, events),
      nextForgetting: () => this.#forgetter.next(tree, this.#writer.meta.revision, this.#writer.meta.historyBytes),
      onError: options.onError ?? ((error) => process.emitWarning(`store: ${String(error)}`)),
    })
    this.#feed = new Feed(meta.revision, (prefix, after) => this.#replay(prefix, after))
    this.#timers = [
      setInterval(() => this.#tick(), options.historyIntervalMs ?? 10_000),
      setInterval(() => this.#feed.progress(), options.progressIntervalMs ?? 5_000),
    ]
    for (const timer of this.#timers) timer.unref()
    this.#tick()
    this.#armExpiry(nextExpiry(tree))
  }

  async get(key: string, at?: Revision): Promise<Entry | undefined> {
    const bounds = await this.#bounds()
    if (at !== undefined) checkReadable(at, bounds)
    this.#writer.touched(touchedPerRead)
    return readEntry(this.#tree, key, at ?? bounds.revision, bounds)
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    // A long list is read in pages of one revision, with turns for others between them. Only a compaction to the very
    // present can overtake it; then it starts again.
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#listAt(prefix, options, options.at ?? (await this.#bounds()).revision)
      } catch (error) {
        if (!(error instanceof Compacted) || options.at !== undefined || attempt === 5) throw error
      }
    }
  }

  async #listAt(prefix: string, options: ListOptions, at: Revision): Promise<ListResult> {
    const limit = options.limit ?? Number.POSITIVE_INFINITY
    const entries: Entry[] = []
    let after = options.after
    for (;;) {
      const bounds = await this.#bounds()
      checkReadable(at, bounds)
      const wanted = limit - entries.length
      const page = readPage(this.#tree, prefix, bounds, {
        at,
        after,
        limit: Math.min(wanted, pageEntries),
        maxBytes: pageBytes,
        count: wanted <= pageEntries,
      })
      for (const entry of page.entries) entries.push(entry)
      // Counting what remains passes over all of it.
      const passed = Math.max(page.remaining, 0) * 1024
      this.#writer.touched(page.bytes + page.entries.length * touchedPerRead + passed)
      if (!page.more || entries.length >= limit) {
        const remaining = page.more ? page.remaining : -1
        return { entries, revision: at, more: page.more, remaining }
      }
      after = entries[entries.length - 1]!.key
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  commit(changes: readonly Change[], author?: Author): Promise<Revision> {
    try {
      checkChanges(changes)
    } catch (error) {
      return Promise.reject(error)
    }
    const ttls = changes.map((change) => change.ttlSeconds ?? Number.POSITIVE_INFINITY)
    const committed = this.#writer.commit(changes, author)
    const soonest = Math.min(...ttls)
    if (soonest === Number.POSITIVE_INFINITY) return committed
    return committed.finally(() => this.#armExpiry(this.#now() + soonest * 1000))
  }

  async *watch(prefix: string, after: Revision, signal: AbortSignal): AsyncGenerator<StoreEvent[] | Progress> {
    if (signal.aborted) return
    checkReadable(after, await this.#bounds())
    yield* this.#feed.watch(prefix, after, signal)
  }

  async requestProgress(): Promise<void> {
    this.#feed.progress()
  }

  async compact(below: Revision): Promise<void> {
    const { revision, compacted } = await this.#bounds()
    if (below > revision) throw new FutureRevision(below, revision)
    if (below <= compacted) return
    this.#forgetter.compact(below)
    await new Promise<void>((resolve, reject) => {
      this.#compactions.push({ below, resolve, reject })
      this.#writer.maintain()
    })
  }

  async oldest(): Promise<Revision> {
    return (await this.#bounds()).compacted
  }

  async commitAt(at: Revision): Promise<Commit | undefined> {
    const { revision } = await this.#bounds()
    if (at > revision) throw new FutureRevision(at, revision)
    this.#writer.touched(touchedPerRead)
    const note = readNote(this.#tree, at)
    return note && { revision: at, ...note }
  }

  async versions(key: string, options: VersionsOptions): Promise<{ versions: Version[]; more: boolean }> {
    await this.#bounds()
    const found = readVersions(this.#tree, key, options)
    this.#writer.touched((found.versions.length + 1) * touchedPerRead)
    return found
  }

  async revision(): Promise<Revision> {
    this.#refuseClosed()
    return this.#writer.meta.revision
  }

  async sizeBytes(): Promise<number> {
    return statSync(join(this.#options.directory, dataFile)).size
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {
    const at = (await this.#bounds()).revision
    yield* encodeSnapshot(at, this.#entriesAt(at))
  }

  async *#entriesAt(at: Revision): AsyncGenerator<SnapshotEntry> {
    let after: string | undefined
    for (;;) {
      const bounds = await this.#bounds()
      checkReadable(at, bounds)
      const page = readPage(this.#tree, '', bounds, { at, after, limit: 200, maxBytes: pageBytes, count: false })
      for (const entry of page.entries) {
        const row = this.#tree.get(tagged('c', entry.key, 0))
        const expiresMs = row ? decodeRow(entry.key, row).expiresMs : 0
        yield { ...entry, ttlSeconds: expiresMs > 0 ? Math.max(1, Math.ceil((expiresMs - this.#now()) / 1000)) : 0 }
      }
      if (!page.more) return
      after = page.entries[page.entries.length - 1]!.key
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#expiryTimer)
    await this.#writer.close()
    this.#feed.close()
    for (const { reject } of this.#compactions.splice(0)) reject(new Unavailable('the store is closed'))
    await this.#tree.close()
    await this.#lock.release()
  }

  /** From the same snapshot as the reads that follow in this turn; it may be ahead of what the writer has announced. */
  async #bounds(): Promise<Meta> {
    while (this.#tree.remapping) await this.#tree.remapping
    this.#refuseClosed()
    return decodeMeta(this.#tree.get(metaKey) ?? Buffer.alloc(0))
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new Unavailable('the store is closed')
  }

  async #replay(prefix: string, after: Revision): Promise<{ events: StoreEvent[]; reached: Revision }> {
    const bounds = await this.#bounds()
    checkReadable(after, bounds)
    this.#writer.touched(replayBytes)
    return replay(this.#tree, prefix, after, bounds, replayBytes)
  }

  #committed(revision: Revision, events: StoreEvent[]): void {
    if (events.length > 0) this.#feed.publish(revision, events)
    const { compacted, historyBytes } = this.#writer.meta
    this.#compactions = this.#compactions.filter(({ below, resolve }) => {
      if (below <= compacted) resolve()
      return below > compacted
    })
    if (this.#forgetter.isDue(historyBytes)) this.#writer.maintain()
  }

  #tick(): void {
    if (this.#tree.remapping) return
    this.#forgetter.tick(this.#tree, this.#now(), this.#writer.meta.revision)
    if (this.#forgetter.isDue(this.#writer.meta.historyBytes)) this.#writer.maintain()
    else this.#writer.rest()
  }

  /** Wakes up at `atMs`, or in an hour to look again: timers run no longer than 24 days, and clocks are set. */
  #armExpiry(atMs: number | undefined): void {
    if (atMs === undefined || atMs >= this.#expiryAtMs || this.#closing) return
    clearTimeout(this.#expiryTimer)
    this.#expiryAtMs = atMs
    const delay = Math.min(Math.max(atMs - this.#now() + 1, 1), 3_600_000)
    this.#expiryTimer = setTimeout(() => this.#expire(), delay)
    this.#expiryTimer.unref()
  }

  #expire(): void {
    this.#expiryAtMs = Number.POSITIVE_INFINITY
    const next = this.#tree.remapping ? this.#now() + 1 : nextExpiry(this.#tree)
    if (next !== undefined && next <= this.#now()) {
      this.#writer.maintain()
      // Again soon: there may be more than one batch removes, or the disk may refuse.
      this.#armExpiry(this.#now() + 100)
    } else this.#armExpiry(next)
  }
}
