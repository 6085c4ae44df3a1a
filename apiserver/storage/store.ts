/**
 * The ordered, multi-version key-value store under the API server. One revision counts for the whole store and never
 * goes back. Two implementations (embedded/, etcd/) pass one contract suite (contract.ts).
 */

/** A count of commits, 1 when the store is new and empty. Fits a double: 2^53 commits. */
export type Revision = number

/** Longest key, in UTF-8 bytes. A key begins with a slash and holds no NUL. */
export const maxKeyBytes = 1500

/** Most changes in one commit: what etcd takes by default. */
export const maxChanges = 128

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
  /** null deletes; to delete what is absent changes nothing. The store keeps the bytes: do not write to them afterwards. */
  value: Uint8Array | null
  /**
   * The entry disappears by itself (as a deletion, seen by watchers) about this many seconds after this commit, never
   * before. A later write without it makes the entry permanent again.
   */
  ttlSeconds?: number
}

export interface StoreEvent {
  type: 'put' | 'delete'
  key: string
  revision: Revision
  /** The new value; of a deletion, undefined. */
  value: Buffer | undefined
  /** The value before this change, where there was one (on etcd: and where it is not compacted). */
  previous: Buffer | undefined
  /** True when the key was absent before. */
  created: boolean
}

/** On whose behalf a commit is made: kept with it as long as its history is. */
export interface Author {
  user: string
  /** The field manager it wrote as. */
  manager?: string
  /** What it wrote of the object; undefined: the object itself. */
  subresource?: string
}

/** What is known of a commit beside its changes. */
export interface Commit {
  revision: Revision
  /** Milliseconds since 1970, by the clock of the server that made it. */
  timeMs: number
  author: Author | undefined
}

/** What one commit left at a key. */
export interface Version {
  revision: Revision
  /** Undefined: the key was deleted. */
  value: Buffer | undefined
  /** Revision at which the key, in this life of it, was created; of a deletion, its own. */
  createRevision: Revision
}

export interface VersionsOptions {
  /** Only versions older than this revision. */
  before?: Revision
  limit: number
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
  /**
   * The entry as of `at`, default now (linearizable). Throws {@link FutureRevision}, or {@link Compacted} when `at` is
   * below the compaction revision; at that revision itself one may still read (as in etcd).
   */
  get(key: string, at?: Revision): Promise<Entry | undefined>
  /** Entries whose key starts with `prefix`, in byte order. */
  list(prefix: string, options?: ListOptions): Promise<ListResult>
  /**
   * All changes or none, at one new revision, durable when it resolves. Throws {@link Conflict} naming the first change
   * whose expectation failed, {@link Unavailable}, and a TypeError for no or too many changes, a bad key or one key twice. A commit
   * that changes nothing (only deletions of absent keys) resolves to the current revision.
   */
  commit(changes: readonly Change[], author?: Author): Promise<Revision>
  /**
   * Every change to keys under `prefix` after revision `after`, in order, no gap and no duplicate. A batch holds one or
   * more whole commits. A {@link Progress} follows at least every few seconds and after {@link requestProgress}.
   * Throws {@link Compacted} when `after` is below the compaction revision and {@link FutureRevision} when it is newer
   * than the newest. Ends when `signal` aborts. A consumer that is slow holds up nobody and costs bounded memory: it is
   * fed from the history, and if that has gone meanwhile it gets {@link Compacted}.
   */
  watch(prefix: string, after: Revision, signal: AbortSignal): AsyncIterable<StoreEvent[] | Progress>
  /** Asks for a Progress on every watch, soon. */
  requestProgress(): Promise<void>
  /**
   * Forget history: reads at a revision below `below` and watches after one below it are refused from now on. Throws
   * {@link FutureRevision}; what is compacted already is not an error.
   */
  compact(below: Revision): Promise<void>
  /** The oldest revision one may still read at. */
  oldest(): Promise<Revision>
  /**
   * The commit at a revision, or the last one before it that says when it was made (those of other programs do not).
   * Undefined where that has been forgotten.
   */
  commitAt(at: Revision): Promise<Commit | undefined>
  /**
   * What stood at a key, newest first, through deletions, as far back as history reaches. The last one may be what stood
   * there when history begins, with a revision before {@link oldest}. On etcd, what was before a deletion by expiry, or by
   * a commit of more than half of {@link maxChanges}, may be missing.
   */
  versions(key: string, options: VersionsOptions): Promise<{ versions: Version[]; more: boolean }>
  /** The newest committed revision; linearizable: never older than any commit acknowledged before the call. */
  revision(): Promise<Revision>
  /** Bytes the data take on disk, where known. */
  sizeBytes(): Promise<number>
  /** A consistent copy of all entries in the format of snapshot.ts, which a restore into either store accepts. */
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
  /** 0 where etcd does not say. */
  readonly oldest: Revision
  constructor(requested: Revision, oldest: Revision) {
    super(`revision ${requested} has been compacted${oldest > 0 ? `; the oldest kept is ${oldest}` : ''}`)
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

/** The store cannot be opened (or a record in it cannot be read), and nothing in it was changed. `reason` says why. */
export class StoreUnusable extends Error {
  readonly reason: 'locked' | 'corrupt' | 'foreign' | 'format'
  constructor(reason: 'locked' | 'corrupt' | 'foreign' | 'format', message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'StoreUnusable'
    this.reason = reason
  }
}

/** Throws a TypeError unless `changes` is something a store may be asked to commit. */
export function checkChanges(changes: readonly Change[]): void {
  if (changes.length === 0 || changes.length > maxChanges)
    throw new TypeError(`a commit has 1 to ${maxChanges} changes, not ${changes.length}`)
  for (const { key } of changes) {
    // Four bytes a character at most: only a long key is worth measuring.
    const tooLong = key.length * 4 > maxKeyBytes && Buffer.byteLength(key) > maxKeyBytes
    if (!key.startsWith('/') || tooLong || key.includes('\0'))
      throw new TypeError(`not a key of at most ${maxKeyBytes} bytes like /a/b: ${JSON.stringify(key.slice(0, 200))}`)
  }
  if (changes.length > 1 && new Set(changes.map((change) => change.key)).size < changes.length)
    throw new TypeError('one key twice in one commit')
}
