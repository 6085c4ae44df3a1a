import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import { Compacted, type Entry, type Revision, type StoreEvent } from '../storage/store.ts'
import { type Codec, createCodec } from './codec.ts'
import type { FeedSink } from './feed.ts'

/** One version of one object: the bytes to be sent, and what selectors ask, parsed when first asked. */
export class CachedObject {
  readonly key: string
  readonly revision: Revision
  readonly bytes: Buffer
  #parsed: WeakRef<AnyObject> | undefined
  #lent: AnyObject | undefined
  #labels: Record<string, string> | undefined
  #fields: Record<string, string> | undefined

  constructor(key: string, revision: Revision, bytes: Buffer) {
    this.key = key
    this.revision = revision
    this.bytes = bytes
  }

  /** Shared by all who ask: never change it. */
  get object(): AnyObject {
    let object = this.#parsed?.deref()
    if (!object) {
      object = JSON.parse(this.bytes.toString()) as AnyObject
      this.#parsed = new WeakRef(object)
    }
    return object
  }

  get labels(): Record<string, string> {
    // A copy: what is lent may change once it is taken back.
    this.#labels ??= { ...this.glance().metadata.labels }
    return this.#labels
  }

  /** A field that selectors ask about, remembered: each version is asked twice, as the new one and as the one before. */
  field(name: string, read: (object: AnyObject) => string): string {
    this.#fields ??= {}
    this.#fields[name] ??= read(this.glance())
    return this.#fields[name]
  }

  /** The object, to be looked at and forgotten before anything else is done: it may be another's, who will change it. */
  glance(): AnyObject {
    return this.#lent ?? this.object
  }

  /** Those who only glance may look at the writer's own object, which saves parsing the bytes, until it is taken back. */
  lend(object: AnyObject | undefined): void {
    this.#lent = object
  }
}

export interface CacheEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  revision: Revision
  /** The new version; of a deletion, the last one, at the deletion's revision. */
  object: CachedObject
  /** The version before; absent when added. */
  previous: CachedObject | undefined
}

export interface CacheListener {
  /** Events of one or more commits, in order. */
  onEvents(events: readonly CacheEvent[]): void
  /** History was lost: what the listener knows may be incomplete. */
  onReset(): void
}

/** History kept in memory for watches that resume: at most this much, per kind. Older versions come from the store. */
const historyEvents = 4096
const historyBytes = 6 << 20

/** All objects of one kind, as bytes, in key order, with the recent changes. Filled by the feed. */
export class WatchCache implements FeedSink {
  readonly prefix: string
  readonly resource: Resource
  readonly codec: Codec
  /** Revision of the newest change to this kind. */
  lastChange: Revision = 0
  readonly #items = new Map<string, CachedObject>()
  #keys: string[] = []
  #history: CacheEvent[] = []
  #historyBytes = 0
  /** History holds every change after this revision. */
  #historyFrom: Revision = 0
  readonly #listeners = new Set<CacheListener>()

  constructor(resource: Resource) {
    this.resource = resource
    this.prefix = `${resource.storagePrefix}/`
    this.codec = createCodec(resource)
  }

  get size(): number {
    return this.#items.size
  }

  get(key: string): CachedObject | undefined {
    return this.#items.get(key)
  }

  /** Objects under a prefix, in key order, strictly after `after` where given. A copy: it stays as it is. */
  range(prefix: string, after?: string): CachedObject[] {
    const keys = this.#keys
    let from = prefix === this.prefix ? 0 : lowerBound(keys, prefix)
    if (after !== undefined && after >= prefix) {
      from = lowerBound(keys, after)
      if (keys[from] === after) from++
    }
    const to = prefix === this.prefix ? keys.length : lowerBound(keys, `${prefix.slice(0, -1)}0`)
    const objects = new Array<CachedObject>(Math.max(0, to - from))
    for (let i = from; i < to; i++) objects[i - from] = this.#items.get(keys[i] as string) as CachedObject
    return objects
  }

  listen(listener: CacheListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Changes after `revision`, or undefined when memory does not reach back so far. */
  eventsAfter(revision: Revision): readonly CacheEvent[] | undefined {
    if (revision < this.#historyFrom) return undefined
    const history = this.#history
    let low = 0
    let high = history.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((history[middle] as CacheEvent).revision <= revision) low = middle + 1
      else high = middle
    }
    return low === 0 ? history.slice() : history.slice(low)
  }

  /**
   * What a store event means for this kind: also used to replay history that memory no longer holds. Throws Compacted
   * when the version before a change is gone, without which nobody can tell what the change means to a selector.
   */
  toCacheEvent(event: StoreEvent, previous?: CachedObject): CacheEvent {
    const before =
      previous ??
      (event.previous ? new CachedObject(event.key, 0, this.codec.splice(event.previous, event.revision)) : undefined)
    if (!before && !event.created) throw new Compacted(event.revision - 1, event.revision)
    if (event.type === 'delete') {
      const last = event.previous ? this.codec.splice(event.previous, event.revision) : at(before!, event.revision)
      const object = new CachedObject(event.key, event.revision, last)
      return { type: 'DELETED', revision: event.revision, object, previous: before }
    }
    const object = new CachedObject(event.key, event.revision, this.codec.splice(event.value as Buffer, event.revision))
    return { type: event.created ? 'ADDED' : 'MODIFIED', revision: event.revision, object, previous: before }
  }

  reset(entries: Entry[], revision: Revision): void {
    this.#items.clear()
    this.#keys = entries.map((entry) => entry.key)
    for (const entry of entries) {
      const bytes = this.codec.splice(entry.value, entry.modRevision)
      this.#items.set(entry.key, new CachedObject(entry.key, entry.modRevision, bytes))
    }
    this.#history = []
    this.#historyBytes = 0
    this.#historyFrom = revision
    this.lastChange = revision
    for (const listener of [...this.#listeners]) listener.onReset()
  }

  apply(events: StoreEvent[]): void {
    const changes: CacheEvent[] = []
    for (const event of events) {
      const before = this.#items.get(event.key)
      const change = this.toCacheEvent(event, before)
      if (change.type === 'DELETED') {
        this.#items.delete(event.key)
        const at = lowerBound(this.#keys, event.key)
        if (this.#keys[at] === event.key) this.#keys.splice(at, 1)
      } else {
        this.#items.set(event.key, change.object)
        if (!before) this.#insertKey(event.key)
      }
      if (event.value) change.object.lend(this.codec.encodedFrom(event.value))
      changes.push(change)
      this.#remember(change)
    }
    this.lastChange = events.at(-1)?.revision ?? this.lastChange
    for (const listener of this.#listeners) listener.onEvents(changes)
    for (const { object } of changes) object.lend(undefined)
  }

  #insertKey(key: string): void {
    const last = this.#keys.at(-1)
    if (last === undefined || last < key) this.#keys.push(key)
    else this.#keys.splice(lowerBound(this.#keys, key), 0, key)
  }

  #remember(change: CacheEvent): void {
    this.#history.push(change)
    this.#historyBytes += sizeOf(change)
    if (this.#history.length <= historyEvents && this.#historyBytes <= historyBytes) return
    // Forget a quarter at once, so that the copy is paid for seldom; never the newest, nor half a commit.
    let drop = Math.max(1, this.#history.length >> 2)
    const newest = change.revision
    while (drop < this.#history.length && this.#history[drop]?.revision === this.#history[drop - 1]?.revision) drop++
    if ((this.#history[drop - 1] as CacheEvent).revision >= newest) return
    for (let i = 0; i < drop; i++) this.#historyBytes -= sizeOf(this.#history[i] as CacheEvent)
    this.#historyFrom = (this.#history[drop - 1] as CacheEvent).revision
    this.#history = this.#history.slice(drop)
  }
}

/** What only history keeps alive: the version before, and a deleted object's last. */
const sizeOf = ({ object, previous }: CacheEvent): number => object.bytes.length + (previous?.bytes.length ?? 0)

/** The bytes of an object at another version. */
function at({ object }: CachedObject, revision: Revision): Buffer {
  const { metadata } = object
  return Buffer.from(JSON.stringify({ ...object, metadata: { ...metadata, resourceVersion: String(revision) } }))
}

/** Index of the first key not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}
