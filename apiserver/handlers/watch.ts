import { expiredError, StatusError } from '../../api/machinery/errors.ts'
import type { StoreFeed } from '../registry/feed.ts'
import type { CachedObject, CacheEvent, CacheListener, WatchCache } from '../registry/watch-cache.ts'
import { Compacted, type Revision, type Store } from '../storage/store.ts'
import type { Presenter } from './present.ts'
import type { WatchTarget } from './watch-socket.ts'

/** What a watcher wants to see. Watchers that want the same share every byte. */
export interface WatchSelection {
  /** Watchers with equal keys are served from one encoding. */
  key: string
  matches: (object: CachedObject) => boolean
  presenter: Presenter
}

export interface WatchStart {
  /** The objects as they stand, sent first as ADDED; undefined: only changes. */
  initial: CachedObject[] | undefined
  /** Changes after this revision follow. */
  after: Revision
  bookmarks: boolean
  /** Mark the end of the initial events with a bookmark of its own (sendInitialEvents). */
  initialEndBookmark: boolean
  timeoutMs: number
}

/** A watcher with more than this unsent is left alone until its socket drains; it then catches up from history. */
const blockedBytes = 512 << 10
const bookmarkIntervalMs = 60_000
/** A watcher that was told to go and does not read is cut off after this long. */
const lingerMs = 5_000

/** All watchers of one kind. Encodes each change once for each selection, and copies bytes for each watcher. */
export class WatchHub implements CacheListener {
  readonly cache: WatchCache
  readonly #feed: Pick<StoreFeed, 'revision'>
  readonly #store: Pick<Store, 'watch'>
  readonly #groups = new Map<string, WatchGroup>()
  readonly #bookmarks: NodeJS.Timeout
  #stopping = false
  #received = 0

  constructor(cache: WatchCache, feed: Pick<StoreFeed, 'revision'>, store: Pick<Store, 'watch'>) {
    this.cache = cache
    this.#feed = feed
    this.#store = store
    cache.listen(this)
    this.#bookmarks = setInterval(() => this.#sendBookmarks(), bookmarkIntervalMs)
    this.#bookmarks.unref()
  }

  /** Changes that have come so far. */
  get received(): number {
    return this.#received
  }

  get watchers(): number {
    let count = 0
    for (const group of this.#groups.values()) count += group.watchers.size
    return count
  }

  /** Serves one watch on a response whose headers have not been sent. Resolves when the watch is over. */
  serve(res: WatchTarget, selection: WatchSelection, start: WatchStart): Promise<void> {
    let group = this.#groups.get(selection.key)
    if (!group) {
      group = new WatchGroup(selection)
      this.#groups.set(selection.key, group)
    }
    const watcher = new Watcher(res, group, this.cache, start.after, start.bookmarks)
    group.watchers.add(watcher)
    const owner = group
    const over = new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        watcher.bookmark(this.#feed.revision)
        watcher.end()
      }, start.timeoutMs)
      watcher.onClose(() => {
        clearTimeout(timer)
        owner.watchers.delete(watcher)
        if (owner.watchers.size === 0 && this.#groups.get(selection.key) === owner) this.#groups.delete(selection.key)
        resolve()
      })
    })
    watcher.run(start, this.#store).catch((error: unknown) => watcher.fail(error))
    if (this.#stopping) watcher.end()
    return over
  }

  onEvents(events: readonly CacheEvent[]): void {
    this.#received += events.length
    const revision = (events.at(-1) as CacheEvent).revision
    for (const group of this.#groups.values()) {
      let chunk: Buffer | undefined | null = null
      for (const watcher of group.watchers) {
        if (!watcher.live) continue
        if (watcher.needsHeader) {
          watcher.catchUp()
          continue
        }
        if (watcher.cursor >= (events[0] as CacheEvent).revision) {
          // Began ahead of the cache, from a version that another server handed out.
          watcher.send(group.encode(events.filter((event) => event.revision > watcher.cursor)), revision)
          continue
        }
        if (chunk === null) chunk = group.encode(events)
        watcher.send(chunk, revision)
      }
    }
  }

  onReset(): void {
    for (const group of this.#groups.values()) {
      for (const watcher of [...group.watchers]) {
        watcher.fail(expiredError('the history this watch follows is gone; list again and watch from there'))
      }
    }
  }

  /** Ends every watch cleanly: clients come back, to another server if there is one. */
  stop(): void {
    this.#stopping = true
    clearInterval(this.#bookmarks)
    for (const group of this.#groups.values()) {
      for (const watcher of [...group.watchers]) {
        watcher.bookmark(this.#feed.revision)
        watcher.end()
      }
    }
  }

  #sendBookmarks(): void {
    const { revision } = this.#feed
    for (const group of this.#groups.values()) for (const watcher of group.watchers) watcher.bookmark(revision)
  }
}

/** Watchers that want the same objects in the same form. */
class WatchGroup {
  readonly watchers = new Set<Watcher>()
  readonly presenter: Presenter
  readonly #matches: (object: CachedObject) => boolean

  constructor({ matches, presenter }: WatchSelection) {
    this.presenter = presenter
    this.#matches = matches
  }

  matches(object: CachedObject): boolean {
    return this.#matches(object)
  }

  /** The events as one HTTP chunk; undefined when none concerns this selection. */
  encode(events: readonly CacheEvent[], header = false): Buffer | undefined {
    const frames: Buffer[] = []
    for (const event of events) {
      const frame = this.#frame(event, header && frames.length === 0)
      if (frame) frames.push(frame)
    }
    return frames.length === 0 ? undefined : httpChunk(frames)
  }

  #frame(event: CacheEvent, header: boolean): Buffer | undefined {
    const before = event.previous !== undefined && this.#matches(event.previous)
    if (event.type === 'DELETED') return before ? this.presenter.frame('DELETED', event.object, header) : undefined
    const now = this.#matches(event.object)
    if (now) return this.presenter.frame(before ? 'MODIFIED' : 'ADDED', event.object, header)
    if (!before) return undefined
    // It left the selection: seen as deleted, in its last selected form, at the version of the change.
    return this.presenter.frame('DELETED', atRevision(event.previous as CachedObject, event.revision), header)
  }
}

/** One client's watch. */
class Watcher {
  /** Everything up to here has been handed to the socket. */
  cursor: Revision
  /** Gets changes as they come; false while it sends what it missed, or its socket is full. */
  live = false
  /** The next event must carry the table's columns. */
  needsHeader: boolean
  readonly #res: WatchTarget
  readonly #group: WatchGroup
  readonly #cache: WatchCache
  readonly #bookmarks: boolean
  readonly #abort = new AbortController()
  #ended = false
  #draining = false

  constructor(res: WatchTarget, group: WatchGroup, cache: WatchCache, cursor: Revision, bookmarks: boolean) {
    this.#res = res
    this.#group = group
    this.#cache = cache
    this.#bookmarks = bookmarks
    this.cursor = cursor
    this.needsHeader = group.presenter.hasHeader
    res.once('close', () => {
      this.#ended = true
      this.live = false
      this.#abort.abort()
    })
  }

  onClose(listener: () => void): void {
    this.#res.once('close', listener)
  }

  async run(start: WatchStart, store: Pick<Store, 'watch'>): Promise<void> {
    const res = this.#res
    res.writeHead(200, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-cache, private',
      'Transfer-Encoding': 'chunked',
    })
    res.flushHeaders()
    if (start.initial) await this.#sendInitial(start.initial)
    if (start.initialEndBookmark) {
      this.#write(httpChunk([this.#group.presenter.bookmark(this.cursor, true)]))
    }
    if (this.#cache.eventsAfter(this.cursor) === undefined) await this.#replay(store)
    this.catchUp()
  }

  /** Sends a shared chunk, or only moves on when there is nothing to see. */
  send(chunk: Buffer | undefined, revision: Revision): void {
    this.cursor = Math.max(this.cursor, revision)
    if (chunk) this.#write(chunk)
  }

  /** Sends what was missed from the cache's history; goes live when there is no more. */
  catchUp(): void {
    if (this.#ended || this.#draining) return
    const events = this.#cache.eventsAfter(this.cursor)
    if (!events) {
      this.fail(
        expiredError(
          `too slow: the changes after version ${this.cursor} are no longer in memory; list again and watch from there`,
        ),
      )
      return
    }
    this.live = true
    // In slices, so that a full socket is noticed in time.
    for (let i = 0; i < events.length && this.live; ) {
      let end = Math.min(i + 64, events.length)
      while (end < events.length && events[end]?.revision === events[end - 1]?.revision) end++
      const slice = events.slice(i, end)
      const chunk = this.#group.encode(slice, this.needsHeader)
      if (chunk) this.needsHeader = false
      this.send(chunk, (slice.at(-1) as CacheEvent).revision)
      i = end
    }
  }

  bookmark(revision: Revision): void {
    // A watcher that is behind has not seen everything up to the revision; one that began ahead of the cache would be
    // taken back, and shown again what it had.
    if (!this.#bookmarks || !this.live || this.#ended || revision < this.cursor) return
    this.cursor = revision
    this.#write(httpChunk([this.#group.presenter.bookmark(revision, false)]))
  }

  /** Tells the client why, and ends the watch. */
  fail(error: unknown): void {
    if (this.#ended) return
    const status =
      error instanceof StatusError
        ? error
        : error instanceof Compacted
          ? expiredError(`too old resource version: ${error.requested} (${error.oldest})`)
          : new StatusError(
              500,
              'InternalError',
              `an error on the server ("watch failed: ${String(error)}") has prevented the request from succeeding`,
            )
    this.#write(httpChunk([Buffer.from(`{"type":"ERROR","object":${JSON.stringify(status.toStatus())}}\n`)]))
    this.end()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.live = false
    this.#abort.abort()
    this.#res.end()
    const { socket } = this.#res
    // One that does not read would hold the connection for ever.
    setTimeout(() => {
      if (!this.#res.writableFinished) socket?.destroy()
    }, lingerMs).unref()
  }

  async #sendInitial(objects: readonly CachedObject[]): Promise<void> {
    const { presenter } = this.#group
    let frames: Buffer[] = []
    let bytes = 0
    for (const object of objects) {
      const frame = presenter.frame('ADDED', object, this.needsHeader)
      this.needsHeader = false
      frames.push(frame)
      bytes += frame.length
      if (bytes < 128 << 10) continue
      this.#write(httpChunk(frames))
      frames = []
      bytes = 0
      await this.#drained()
      if (this.#ended) return
    }
    if (frames.length > 0) this.#write(httpChunk(frames))
    await this.#drained()
  }

  /** Changes older than the cache remembers, from the store. */
  async #replay(store: Pick<Store, 'watch'>): Promise<void> {
    for await (const batch of store.watch(this.#cache.prefix, this.cursor, this.#abort.signal)) {
      if ('progress' in batch) {
        this.cursor = Math.max(this.cursor, batch.progress)
      } else {
        const events = batch.map((event) => this.#cache.toCacheEvent(event))
        const chunk = this.#group.encode(events, this.needsHeader)
        if (chunk) this.needsHeader = false
        this.send(chunk, (events.at(-1) as CacheEvent).revision)
        await this.#drained()
      }
      if (this.#ended || this.#cache.eventsAfter(this.cursor) !== undefined) return
    }
  }

  /** Raw bytes to the socket: the chunk is already in HTTP's form, the same for every watcher. */
  #write(chunk: Buffer): void {
    const { socket } = this.#res
    if (!socket || socket.destroyed) return
    socket.write(chunk)
    if (socket.writableLength <= blockedBytes || !this.live) return
    this.live = false
    this.#draining = true
    this.#drained()
      .then(() => {
        this.#draining = false
        this.catchUp()
      })
      .catch((error: unknown) => this.fail(error))
  }

  #drained(): Promise<void> {
    const { socket } = this.#res
    if (this.#ended || !socket || !socket.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        socket.off('drain', done)
        this.#res.off('close', done)
        resolve()
      }
      socket.once('drain', done)
      this.#res.once('close', done)
    })
  }
}

const crlf = Buffer.from('\r\n')

/** One chunk of HTTP/1.1's chunked transfer coding. */
export function httpChunk(parts: readonly Buffer[]): Buffer {
  let length = 0
  for (const part of parts) length += part.length
  return Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), ...parts, crlf])
}

function atRevision(cached: CachedObject, revision: Revision): CachedObject {
  const object = structuredClone(cached.object)
  object.metadata.resourceVersion = String(revision)
  return new (cached.constructor as typeof CachedObject)(cached.key, revision, Buffer.from(JSON.stringify(object)))
}
