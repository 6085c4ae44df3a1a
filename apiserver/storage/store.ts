/**
 * The ordered, multi-version key-value store under the API server. One revision counts for the whole store and never
 * goes back. Two implementations (embedded/, etcd/) pass one contract suite (contract.ts).
 */

/** A count of commits. Fits a double: 2^53 commits. */
export type Revision = number

export interface Entry {
  key: string
  value: Buffer
  /** Revision of the commit that created this key (since it was last absent). */
  createRevision: Revision
  /** Revision of the commit that last wrote it. */
  modRevision: Revision
}

export interface Change {
  key: string
  /** The modRevision that must stand there now; 'absent': no entry; 'any': no condition. */
  expect: Revision | 'absent' | 'any'
  /** null deletes. */
  value: Uint8Array | null
  /** The entry disappears by itself (as a deletion, seen by watchers) about this many seconds after this commit. */
  ttlSeconds?: number
}

export interface StoreEvent {
  type: 'put' | 'delete'
  key: string
  revision: Revision
  /** The new value; of a deletion, undefined. */
  value: Buffer | undefined
  /** The value before this change, where there was one. */
  previous: Buffer | undefined
  /** True when the key was absent before. */
  created: boolean
}

/** Everything up to `revision` under the watched prefix has been delivered. */
export interface Progress {
  progress: Revision
}

export interface ListOptions {
  /** List as of this revision; default now (linearizable). */
  at?: Revision
  limit?: number
  /** Only keys strictly after this one. */
  after?: string
}

export interface ListResult {
  entries: Entry[]
  /** The revision the list is of. */
  revision: Revision
  more: boolean
  /** Entries left after this page; exact, or -1 when more is false. */
  remaining: number
}

export interface Store {
  /** The entry as of `at`, default now (linearizable). Throws {@link Compacted} or {@link FutureRevision}. */
  get(key: string, at?: Revision): Promise<Entry | undefined>
  /** Entries whose key starts with `prefix`, in byte order. */
  list(prefix: string, options?: ListOptions): Promise<ListResult>
  /**
   * All changes or none, at one new revision, durable when it resolves. Throws {@link Conflict} naming the first change
   * whose expectation failed; keys must be distinct.
   */
  commit(changes: readonly Change[]): Promise<Revision>
  /**
   * Every change to keys under `prefix` after revision `after`, in order, a commit's events together in one batch, no
   * gap and no duplicate. A {@link Progress} follows at least every few seconds and after {@link requestProgress}.
   * Throws {@link Compacted} when `after` is older than what is kept. Ends when `signal` aborts.
   */
  watch(prefix: string, after: Revision, signal: AbortSignal): AsyncIterable<StoreEvent[] | Progress>
  /** Asks for a Progress on every watch, soon. */
  requestProgress(): Promise<void>
  /** Forget history: reads at a revision below `below` and watches after one below it are refused from now on. */
  compact(below: Revision): Promise<void>
  /** The newest committed revision; linearizable: never older than any commit acknowledged before the call. */
  revision(): Promise<Revision>
  /** Bytes the data take on disk, where known. */
  sizeBytes(): Promise<number>
  /** A consistent copy of the whole database, as a stream that a restore accepts. */
  snapshot(): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** A change's expectation did not hold. `entry` is what stood in the way; undefined: the key is absent. */
export class Conflict extends Error {
  readonly key: string
  readonly entry: Entry | undefined
  constructor(key: string, entry: Entry | undefined) {
    super(`${key} is ${entry ? `at revision ${entry.modRevision}` : 'absent'}, not as expected`)
    this.name = 'Conflict'
    this.key = key
    this.entry = entry
  }
}

/** The revision asked for is older than the history kept. */
export class Compacted extends Error {
  readonly requested: Revision
  readonly oldest: Revision
  constructor(requested: Revision, oldest: Revision) {
    super(`revision ${requested} has been compacted; the oldest kept is ${oldest}`)
    this.name = 'Compacted'
    this.requested = requested
    this.oldest = oldest
  }
}

/** The revision asked for has not happened yet. */
export class FutureRevision extends Error {
  readonly requested: Revision
  readonly current: Revision
  constructor(requested: Revision, current: Revision) {
    super(`revision ${requested} is newer than the newest, ${current}`)
    this.name = 'FutureRevision'
    this.requested = requested
    this.current = current
  }
}

/** The store cannot answer now (no quorum, disk full, timeout). A write so refused may or may not have happened only if `unknown`. */
export class Unavailable extends Error {
  readonly unknown: boolean
  constructor(message: string, options: { unknown?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'Unavailable'
    this.unknown = options.unknown ?? false
  }
}
