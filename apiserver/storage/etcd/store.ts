import type { IRangeRequest, IRangeResponse, IRequestOp } from 'etcd3'
import { firstRevision, revisionAtTime } from '../commit-search.ts'
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
import { Compacted, Conflict, checkChanges, FutureRevision, maxChanges } from '../store.ts'
import { Compactor } from './compactor.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { Keys } from './keys.ts'
import { Leases } from './leases.ts'
import { certainDeletions, decodeNote, encodeNote, isEffective } from './notes.ts'
import { closedError, EtcdWatch } from './watch.ts'

export interface EtcdOptions extends ConnectionOptions {
  /** What all keys lie under. Default '/registry', upstream's. */
  prefix?: string
  /** How often history is compacted; 0: never. Default 5 minutes, upstream's. */
  compactionIntervalMs?: number
  /** History younger than this is kept, and at least that of one interval. Default: one interval. */
  historyKeepMs?: number
  /** Where the data take more bytes than this, the older half of the history goes each round. Default: no limit. */
  historyMaxBytes?: number
  /** How often watchers are told how far they are. Default 5 seconds. */
  progressIntervalMs?: number
  /**
   * How a watch is proved complete: 'request' asks etcd on its stream, 'write' writes a key that the watch then sees.
   * Default: by the server's version, as older ones answer requests before they have sent all events
   * (etcd-io/etcd#15220, #17507; upstream draws the line at the same versions).
   */
  progress?: 'request' | 'write'
  /** Told of failures of work that nobody waits for. Default: a process warning. */
  onError?: (error: unknown) => void
}

/** Entries asked for at a time: grown and shrunk so that a response is a few megabytes. */
const pageFirst = 500
const pageMost = 5000
const pageBytes = 8 << 20
const settleMs = 20

/** Opens the store in etcd 3.4 or newer. Throws Unavailable when no member answers. */
export async function openEtcd(options: EtcdOptions): Promise<Store> {
  const connection = new Connection(options)
  try {
    await connection.dial()
    const isTrusted = options.progress ? options.progress === 'request' : await answersProgress(connection)
    return new EtcdStore(options, connection, isTrusted)
  } catch (error) {
    connection.close()
    throw error
  }
}

class EtcdStore implements Store {
  readonly #connection: Connection
  readonly #keys: Keys
  readonly #leases: Leases
  readonly #isProgressTrusted: boolean
  readonly #compactor: Compactor | undefined
  readonly #watches = new Set<EtcdWatch>()
  readonly #progressTimer: NodeJS.Timeout
  readonly #historyKeepMs: number
  readonly #historyMaxBytes: number
  #oldest: Revision = 1
  readonly #revisions: Shared<Revision>
  readonly #confirmations: Shared<void>

  constructor(options: EtcdOptions, connection: Connection, isProgressTrusted: boolean) {
    const onError = options.onError ?? ((error) => process.emitWarning(`store: ${String(error)}`))
    const intervalMs = options.compactionIntervalMs ?? 300_000
    this.#connection = connection
    this.#keys = new Keys(options.prefix ?? '/registry')
    this.#leases = new Leases(connection)
    this.#isProgressTrusted = isProgressTrusted
    this.#historyKeepMs = options.historyKeepMs ?? 0
    this.#historyMaxBytes = options.historyMaxBytes ?? Number.POSITIVE_INFINITY
    this.#compactor =
      intervalMs > 0
        ? new Compactor(
            connection,
            intervalMs,
            async (roundAgo) => this.compact(await this.#compactionTarget(roundAgo)),
            onError,
          )
        : undefined
    this.#revisions = new Shared(() => this.#readRevision())
    this.#confirmations = new Shared(() => this.#confirmAll())
    this.#progressTimer = setInterval(() => {
      if (this.#watches.size > 0) this.requestProgress().catch(onError)
    }, options.progressIntervalMs ?? 5_000)
    this.#progressTimer.unref()
  }

  async get(key: string, at?: Revision): Promise<Entry | undefined> {
    const { kvs } = await this.#range({ key: this.#keys.key(key), ...revisionOf(at) }, at)
    return kvs[0] && this.#keys.entry(kvs[0])
  }

  async list(prefix: string, { at, limit, after }: ListOptions = {}): Promise<ListResult> {
    const entries: Entry[] = []
    for await (const page of this.#pages(prefix, at, after, limit)) {
      for (const kv of page.kvs) entries.push(this.#keys.entry(kv))
      if (limit !== undefined && entries.length >= limit) return this.#listed(entries, page)
      if (!page.more) return this.#listed(entries, page)
    }
    throw new Error('a list has at least one page')
  }

  #listed(entries: Entry[], page: Page): ListResult {
    return { entries, revision: page.revision, more: page.more, remaining: page.more ? page.remaining : -1 }
  }

  async commit(changes: readonly Change[], author?: Author): Promise<Revision> {
    checkChanges(changes)
    const leases = await Promise.all(
      changes.map(({ ttlSeconds }) => (ttlSeconds === undefined ? undefined : this.#leases.lease(ttlSeconds))),
    )
    const history = await this.#historyOperations(changes, author)
    const conditional = changes.filter((change) => change.expect !== 'any')
    const request = {
      compare: conditional.map(({ key, expect }) => ({
        key: this.#keys.key(key),
        target: 'Mod' as const,
        result: 'Equal' as const,
        mod_revision: expect === 'absent' ? '0' : String(expect),
      })),
      // A transaction takes no more than that: a commit as large as may be goes without its history.
      success: [...changes.map((change, i) => this.#operation(change, leases[i])), ...history].slice(0, maxChanges),
      failure: conditional.map(({ key }) => ({ request_range: { key: this.#keys.key(key) } })),
    }
    const result = await this.#connection.write((member, options) => member.kv.txn(request, options))
    if (result.succeeded) return Number(result.header.revision)
    for (const [i, { key, expect }] of conditional.entries()) {
      const kv = result.responses[i]?.response_range?.kvs[0]
      const holds = expect === 'absent' ? !kv : kv !== undefined && Number(kv.mod_revision) === expect
      if (!holds) throw new Conflict(key, kv && this.#keys.entry(kv))
    }
    throw new Error('etcd refused a transaction whose conditions hold')
  }

  /** What is written along so that history can be read: see {@link Keys.note} and {@link Keys.gone}. */
  async #historyOperations(changes: readonly Change[], author: Author | undefined): Promise<IRequestOp[]> {
    if (!isEffective(changes)) return []
    const operations: IRequestOp[] = [
      { request_put: { key: this.#keys.note, value: encodeNote({ timeMs: Date.now(), author }) } },
    ]
    const deletions = this.#historyKeepMs > 0 ? certainDeletions(changes) : []
    if (deletions.length === 0) return operations
    const lease = await this.#leases.lease(this.#historyKeepMs / 1000)
    for (const { key } of deletions)
      operations.push({ request_put: { key: this.#keys.gone(key), value: Buffer.alloc(0), lease } })
    return operations
  }

  #operation({ key, value }: Change, lease: string | undefined): IRequestOp {
    const raw = this.#keys.key(key)
    if (!value) return { request_delete_range: { key: raw } }
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length)
    return { request_put: { key: raw, value: bytes, ...(lease === undefined ? {} : { lease }) } }
  }

  async *watch(prefix: string, after: Revision, signal: AbortSignal): AsyncGenerator<StoreEvent[] | Progress> {
    if (signal.aborted) return
    const current = await this.revision()
    if (after > current) throw new FutureRevision(after, current)
    const watch = new EtcdWatch(this.#connection, this.#keys, after, { prefix, besides: !this.#isProgressTrusted })
    this.#watches.add(watch)
    try {
      yield* watch.run(signal)
    } finally {
      this.#watches.delete(watch)
    }
  }

  requestProgress(): Promise<void> {
    if (!this.#isProgressTrusted) return this.#confirmations.next()
    for (const watch of this.#watches) watch.askProgress()
    return Promise.resolve()
  }

  /**
   * Proves the watches complete without the server's word. A watch that has the newest revision has everything. Every
   * revision of our own keys reaches it by itself; only after somebody else's write does it take one more, beside them.
   */
  async #confirmAll(): Promise<void> {
    const revision = await this.revision()
    let behind = [...this.#watches].filter((watch) => !watch.confirm(revision))
    if (behind.length === 0) return
    await sleep(settleMs)
    behind = behind.filter((watch) => !watch.confirm(revision))
    if (behind.length === 0) return
    await this.#connection.read((member, options) =>
      member.kv.put({ key: this.#keys.besides, value: Buffer.alloc(0) }, options),
    )
    for (let waitMs = 1; waitMs < 1000 && behind.length > 0; waitMs *= 2) {
      await sleep(waitMs)
      behind = behind.filter((watch) => !watch.confirm(revision))
    }
  }

  async compact(below: Revision): Promise<void> {
    try {
      await this.#connection.read((member, options) => member.kv.compact({ revision: String(below) }, options))
    } catch (error) {
      if (isCompacted(error)) return
      throw await this.#explain(error, below)
    }
  }

  /** The newest of: what has grown too old, and the middle of the history where there is too much. */
  async #compactionTarget(roundAgo: Revision): Promise<Revision> {
    if (this.#historyKeepMs === 0) return roundAgo
    const oldest = await this.oldest()
    const commitAt = (at: Revision) => this.commitAt(at)
    const aged = await revisionAtTime(commitAt, Date.now() - this.#historyKeepMs, oldest, roundAgo)
    const status = await this.#connection.read((member, options) => member.maintenance.status(options))
    const isTooMuch = Number(status.dbSizeInUse || status.dbSize) > this.#historyMaxBytes
    return Math.max(aged, isTooMuch ? oldest + Math.ceil((roundAgo - oldest) / 2) : 0)
  }

  /** etcd does not tell: asked for by trying, from the last that was so. */
  async oldest(): Promise<Revision> {
    const isKept = async (at: Revision) => {
      try {
        await this.#range({ key: this.#keys.besides, count_only: true, ...revisionOf(at) }, at)
        return true
      } catch (error) {
        if (error instanceof Compacted) return false
        throw error
      }
    }
    if (!(await isKept(this.#oldest))) this.#oldest = await firstRevision(isKept, this.#oldest, await this.revision())
    return this.#oldest
  }

  async commitAt(at: Revision): Promise<Commit | undefined> {
    try {
      const { kvs } = await this.#range({ key: this.#keys.note, ...revisionOf(at) }, at)
      return kvs[0] && decodeNote(Number(kvs[0].mod_revision), kvs[0].value)
    } catch (error) {
      if (error instanceof Compacted) return undefined
      throw error
    }
  }

  async versions(key: string, options: VersionsOptions): Promise<{ versions: Version[]; more: boolean }> {
    const versions: Version[] = []
    let at = options.before === undefined ? await this.revision() : options.before - 1
    try {
      while (at > 0) {
        const version = (await this.#versionAt(key, at)) ?? (await this.#deletionAt(key, at))
        if (!version) break
        if (versions.length === options.limit) return { versions, more: true }
        versions.push(version)
        at = version.revision - 1
      }
    } catch (error) {
      if (!(error instanceof Compacted)) throw error
    }
    return { versions, more: false }
  }

  async #versionAt(key: string, at: Revision): Promise<Version | undefined> {
    const entry = await this.get(key, at)
    return entry && { revision: entry.modRevision, value: entry.value, createRevision: entry.createRevision }
  }

  async #deletionAt(key: string, at: Revision): Promise<Version | undefined> {
    const { kvs } = await this.#range({ key: this.#keys.gone(key), ...revisionOf(at) }, at)
    const revision = Number(kvs[0]?.mod_revision ?? 0)
    return kvs[0] && { revision, value: undefined, createRevision: revision }
  }

  /** Linearizable: whoever asks shares the next request, never one already sent. */
  revision(): Promise<Revision> {
    return this.#revisions.next()
  }

  async #readRevision(): Promise<Revision> {
    const { header } = await this.#range({ key: this.#keys.besides, count_only: true })
    return Number(header.revision)
  }

  async sizeBytes(): Promise<number> {
    const status = await this.#connection.read((member, options) => member.maintenance.status(options))
    return Number(status.dbSize)
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {
    const at = await this.revision()
    yield* encodeSnapshot(at, this.#entriesAt(at))
  }

  async *#entriesAt(at: Revision): AsyncGenerator<SnapshotEntry> {
    const ttls = new Map<string, number>([['0', 0]])
    for await (const page of this.#pages('', at, undefined, undefined)) {
      for (const kv of page.kvs) {
        if (!ttls.has(kv.lease)) ttls.set(kv.lease, await this.#ttlOf(kv.lease))
        yield this.#keys.snapshotEntry(kv, ttls.get(kv.lease)!)
      }
    }
  }

  /** Seconds a lease has left; 1 for one that has just gone. */
  async #ttlOf(lease: string): Promise<number> {
    const { TTL } = await this.#connection.read((member, options) =>
      member.leaseClient.leaseTimeToLive({ ID: lease }, options),
    )
    return Math.max(1, Number(TTL))
  }

  async close(): Promise<void> {
    clearInterval(this.#progressTimer)
    this.#compactor?.stop()
    for (const watch of this.#watches) watch.end(closedError())
    this.#connection.close()
  }

  /** The range in pages of one revision, each with how many entries follow it. */
  async *#pages(
    prefix: string,
    at: Revision | undefined,
    after: string | undefined,
    limit: number | undefined,
  ): AsyncGenerator<Page> {
    const range_end = this.#keys.end(prefix)
    let key = this.#keys.start(prefix, after)
    let revision = at
    let left = limit ?? Number.POSITIVE_INFINITY
    let size = pageFirst
    for (;;) {
      const response = await this.#range(
        { key, range_end, limit: Math.min(left, size), ...revisionOf(revision) },
        revision,
      )
      const { kvs, more } = response
      revision ??= Number(response.header.revision)
      left -= kvs.length
      yield { kvs, more, revision, remaining: Number(response.count) - kvs.length }
      if (!more || left <= 0) return
      key = Buffer.concat([kvs[kvs.length - 1]!.key, nul])
      size = nextSize(kvs)
    }
  }

  async #range(request: IRangeRequest, at?: Revision): Promise<IRangeResponse> {
    try {
      return await this.#connection.read((member, options) => member.kv.range(request, options))
    } catch (error) {
      throw await this.#explain(error, at ?? 0)
    }
  }

  async #explain(error: unknown, at: Revision): Promise<unknown> {
    if (isCompacted(error)) return new Compacted(at, 0)
    if (error instanceof Error && error.message.includes('required revision is a future revision'))
      return new FutureRevision(at, await this.revision())
    return error
  }
}

interface Page {
  kvs: IRangeResponse['kvs']
  more: boolean
  revision: Revision
  remaining: number
}

const nul = Buffer.from([0])

function nextSize(kvs: IRangeResponse['kvs']): number {
  let bytes = 0
  for (const kv of kvs) bytes += kv.key.length + kv.value.length
  const fitting = Math.floor((kvs.length * pageBytes) / Math.max(bytes, 1))
  return Math.max(1, Math.min(fitting, pageMost))
}

function revisionOf(at: Revision | undefined): { revision?: string } {
  return at === undefined ? {} : { revision: String(at) }
}

function isCompacted(error: unknown): boolean {
  return error instanceof Error && error.message.includes('required revision has been compacted')
}

/** Whether the server's answers to progress requests can be trusted: 3.4.31, 3.5.13 and everything later. */
async function answersProgress(connection: Connection): Promise<boolean> {
  const { version } = await connection.read((member, options) => member.maintenance.status(options))
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  if (major !== 3) return major > 3
  if (minor === 4) return patch >= 31
  if (minor === 5) return patch >= 13
  return minor > 5
}

/** Runs work for all who ask: those who come while it runs share the next run, which starts when it is done. */
class Shared<T> {
  readonly #work: () => Promise<T>
  #running: Promise<unknown> | undefined
  #next: Promise<T> | undefined

  constructor(work: () => Promise<T>) {
    this.#work = work
  }

  next(): Promise<T> {
    this.#next ??= this.#start()
    return this.#next
  }

  async #start(): Promise<T> {
    // At least to the end of this turn: all who ask in it share.
    await (this.#running ?? Promise.resolve())
    this.#next = undefined
    const result = this.#work()
    this.#running = result.then(ignore, ignore)
    return result
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function ignore(): void {}
