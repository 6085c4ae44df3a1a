import type { Author, Change, Revision, StoreEvent } from '../store.ts'
import { Conflict, Unavailable } from '../store.ts'
import {
  currentKey,
  decodeMeta,
  encodeCommit,
  encodeMeta,
  encodeRow,
  expiryKey,
  historyKey,
  logKey,
  type Meta,
  metaKey,
  present,
  presentBefore,
  type Row,
  readRevision,
  type Undo,
} from './layout.ts'
import { entryOf, readRowNow } from './reader.ts'
import type { Put, Tree } from './tree.ts'

/** Enough to share a sync among all who wait, little enough that building a batch takes a few milliseconds. */
const batchCommits = 512
const batchBytes = 4 << 20
const expiriesPerBatch = 200
/** After so many bytes written and read, the mapping of the file is renewed (see Tree.remap). */
const remapBytes = 24 << 20
const remapAtRestBytes = 1 << 20

interface Waiting {
  changes: readonly Change[]
  author: Author | undefined
  resolve: (revision: Revision) => void
  reject: (error: unknown) => void
}

export interface WriterOptions {
  now: () => number
  /** Called after each batch is on disk, with its events in order, before the writers learn of it. */
  onCommitted: (revision: Revision, events: StoreEvent[]) => void
  /** Removals that forget some history, to go along with the next batch; and what they change in the meta record. */
  nextForgetting: () => Forgetting | undefined
  /** Told of what goes wrong when nobody waits for the outcome. */
  onError: (error: unknown) => void
}

export interface Forgetting {
  keys: Buffer[]
  bytes: number
  compacted: Revision
}

/**
 * The one who writes. While a batch is on its way to disk, new commits gather; all of them go into the next batch, each
 * checked against the state left by those before it. Nobody learns of a batch, not even of a conflict with it, before
 * it is on disk.
 */
export class Writer {
  readonly #tree: Tree
  readonly #options: WriterOptions
  #meta: Meta
  #waiting: Waiting[] = []
  #maintenanceDue = false
  #touchedBytes = 0
  #running: Promise<void> | undefined
  #closed = false

  constructor(tree: Tree, meta: Meta, options: WriterOptions) {
    this.#tree = tree
    this.#meta = meta
    this.#options = options
  }

  get meta(): Readonly<Meta> {
    return this.#meta
  }

  commit(changes: readonly Change[], author?: Author): Promise<Revision> {
    if (this.#closed) return Promise.reject(new Unavailable('the store is closed'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ changes, author, resolve, reject })
      this.#start()
    })
  }

  /** Counts bytes read from the tree: they stay in memory until the mapping is renewed. */
  touched(bytes: number): void {
    this.#touchedBytes += bytes
    if (this.#touchedBytes > remapBytes && !this.#closed) this.#start()
  }

  /** Renews the mapping sooner: there is time. */
  rest(): void {
    if (this.#touchedBytes > remapAtRestBytes) this.touched(remapBytes)
  }

  /** Has what expired removed and some history forgotten, in the next batch. */
  maintain(): void {
    if (this.#closed) return
    this.#maintenanceDue = true
    this.#start()
  }

  /** Refuses new commits and waits for those begun. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  #start(): void {
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    do {
      // Let everyone who is ready in this turn of the event loop join the batch.
      await new Promise((resolve) => setImmediate(resolve))
      await this.#writeBatch()
      await this.#renewMapping()
    } while (this.#waiting.length > 0 || this.#maintenanceDue)
    // In the same step as the look at the queue: whoever comes later starts anew.
    this.#running = undefined
  }

  async #renewMapping(): Promise<void> {
    if (this.#touchedBytes < remapBytes) return
    this.#touchedBytes = 0
    await this.#tree.remap()
  }

  async #writeBatch(): Promise<void> {
    const batch = new Batch(this.#tree, this.#meta, this.#options.now())
    if (this.#maintenanceDue) this.#maintain(batch)
    let count = 0
    const settle: (() => void)[] = []
    while (count < this.#waiting.length && count < batchCommits && batch.bytes < batchBytes) {
      settle.push(batch.add(this.#waiting[count]!))
      count++
    }
    const taken = this.#waiting.splice(0, count)
    if (batch.puts.length > 0) {
      try {
        await this.#tree.write([...batch.puts, [metaKey, encodeMeta(batch.meta)]])
        this.#committed(batch)
      } catch (error) {
        this.#failed(batch, taken, error)
        return
      }
    }
    for (const tell of settle) tell()
  }

  #maintain(batch: Batch): void {
    this.#maintenanceDue = false
    try {
      batch.expire()
      batch.forget(this.#options.nextForgetting())
    } catch (error) {
      this.#options.onError(error)
    }
  }

  #committed(batch: Batch): void {
    this.#meta = batch.meta
    // Every key written leads through a page of the file or more.
    this.#touchedBytes += batch.bytes + batch.puts.length * 1024
    this.#options.onCommitted(batch.meta.revision, batch.events)
  }

  /** The disk said no. Should the batch stand there all the same, it counts, but its writers must find out themselves. */
  #failed(batch: Batch, taken: readonly Waiting[], error: unknown): void {
    const raw = this.#tree.get(metaKey)
    const stands = raw !== undefined && decodeMeta(raw).revision > this.#meta.revision
    if (stands) this.#committed(batch)
    const reason = stands ? new Unavailable(String(error), { unknown: true, cause: error }) : error
    if (taken.length === 0) this.#options.onError(reason)
    for (const waiting of taken) waiting.reject(reason)
  }
}

/** What a group of commits does to the tree, worked out against the tree and the commits before it in the group. */
class Batch {
  readonly puts: Put[] = []
  readonly events: StoreEvent[] = []
  readonly meta: Meta
  bytes = 0
  readonly #tree: Tree
  readonly #now: number
  readonly #changed = new Map<string, Row | undefined>()

  constructor(tree: Tree, meta: Meta, now: number) {
    this.#tree = tree
    this.meta = { ...meta }
    this.#now = now
  }

  /** Adds the commit or finds what stands in its way; returns what tells its writer once the batch is on disk. */
  add({ changes, author, resolve, reject }: Waiting): () => void {
    let before: (Row | undefined)[]
    try {
      before = changes.map((change) => this.#row(change.key))
    } catch (error) {
      return () => reject(error)
    }
    for (const [i, { key, expect }] of changes.entries()) {
      if (expect === 'any') continue
      const row = before[i]
      if (expect === 'absent' ? !row : row?.modRevision === expect) continue
      return () => reject(new Conflict(key, row && entryOf(key, row)))
    }
    const revision = this.#apply(changes, before, author)
    return () => resolve(revision)
  }

  /** Removes what has expired, all in one commit. */
  expire(): void {
    const due: Change[] = []
    const range = this.#tree.keys(expiryKey(0, ''), expiryKey(this.#now + 1, ''), { limit: expiriesPerBatch })
    for (const key of range) due.push({ key: key.toString('utf8', 9), expect: 'any', value: null })
    if (due.length === 0) return
    this.#apply(
      due,
      due.map((change) => this.#row(change.key)),
    )
  }

  forget(forgetting: Forgetting | undefined): void {
    if (!forgetting) return
    for (const key of forgetting.keys) this.puts.push([key, null])
    this.meta.compacted = Math.max(this.meta.compacted, forgetting.compacted)
    this.meta.historyBytes = Math.max(0, this.meta.historyBytes - forgetting.bytes)
    // So that the meta record is written even where nothing else is.
    if (forgetting.keys.length === 0) this.puts.push([metaKey, encodeMeta(this.meta)])
  }

  #row(key: string): Row | undefined {
    return this.#changed.has(key) ? this.#changed.get(key) : readRowNow(this.#tree, key)
  }

  #apply(changes: readonly Change[], before: readonly (Row | undefined)[], author?: Author): Revision {
    const revision = this.meta.revision + 1
    const undos: Undo[] = []
    for (const [i, change] of changes.entries()) {
      const old = before[i]
      if (!old && change.value === null) continue
      undos.push({ key: change.key, before: old, exists: change.value !== null })
      this.#write(change, old, revision)
    }
    if (undos.length === 0) return this.meta.revision
    const log = encodeCommit(undos, { timeMs: this.#now, author })
    this.puts.push([logKey(revision), log])
    this.bytes += log.length
    this.meta.historyBytes += log.length
    this.meta.revision = revision
    return revision
  }

  #write({ key, value, ttlSeconds }: Change, old: Row | undefined, revision: Revision): void {
    if (old && old.expiresMs > 0) this.puts.push([expiryKey(old.expiresMs, key), null])
    let row: Row | undefined
    if (value) {
      const expiresMs = ttlSeconds === undefined ? 0 : Math.ceil(this.#now + ttlSeconds * 1000)
      row = {
        createRevision: old?.createRevision ?? revision,
        modRevision: revision,
        expiresMs,
        value: asBuffer(value),
      }
      if (expiresMs > 0) this.puts.push([expiryKey(expiresMs, key), Buffer.from([1])])
      this.bytes += value.length
    }
    this.#changed.set(key, row)
    const history = historyKey(key, revision)
    this.puts.push([currentKey(key), row ? encodeRow(row) : null])
    this.puts.push([history, Buffer.from([(row ? present : 0) | (old ? presentBefore : 0)])])
    this.meta.historyBytes += history.length + 1
    this.events.push({
      type: row ? 'put' : 'delete',
      key,
      revision,
      value: row?.value,
      previous: old?.value,
      created: row !== undefined && old === undefined,
    })
  }
}

/** When the next entry expires, in milliseconds since 1970. */
export function nextExpiry(tree: Tree): number | undefined {
  const [first] = tree.keys(expiryKey(0, ''), Buffer.from('f'), { limit: 1 })
  return first && readRevision(first, 1)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
