import { conflictError, modifiedMessage, StatusError } from '../../api/machinery/errors.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import { type Author, type Change, Conflict, type Entry, type Revision, type Store } from '../storage/store.ts'
import { storeKey } from './codec.ts'
import type { WatchCache } from './watch-cache.ts'

/** What a write changes of another object, in the same commit: what it uses of a quota, say. */
export interface Amendment {
  resource: Resource
  namespace: string
  name: string
  /**
   * The other object as it is to be, from the one that stands (which it may not change); undefined to leave it. Throws a
   * StatusError to refuse the write. Called again when the other object has changed meanwhile.
   */
  amend(standing: AnyObject): AnyObject | undefined
}

const maxAttempts = 64

/** The newest that is known of an amended object; undefined: it is not there. */
interface Known {
  object: AnyObject | undefined
  revision: Revision
}

interface Line {
  /** Fires when whoever came last is through. */
  last: Promise<void>
  waiting: number
  known?: Known
}

/** Commits writes together with what they change of other objects. */
export class AmendingCommitter {
  readonly #store: Store
  readonly #cacheOf: (resource: Resource) => WatchCache
  /** Who amends one object waits in line: all at once would only stand in each other's way. */
  readonly #lines = new Map<string, Line>()

  constructor(store: Store, cacheOf: (resource: Resource) => WatchCache) {
    this.#store = store
    this.#cacheOf = cacheOf
  }

  /**
   * One commit of all changes, and of what the amendments make of other objects. In a dry run nothing is written, but a
   * conflict or a refusal is still found, and the revision is 0. Throws what the amendments throw, and Conflict where one
   * of the changes stands against the store.
   */
  async commit(
    changes: readonly Change[],
    amendments: readonly Amendment[],
    dryRun: boolean,
    author: Author,
  ): Promise<Revision> {
    if (amendments.length === 0) return this.#write(changes, dryRun, author)
    const byKey = new Map<string, Amendment[]>()
    for (const amendment of amendments) {
      const key = storeKey(amendment.resource, amendment.namespace, amendment.name)
      byKey.set(key, [...(byKey.get(key) ?? []), amendment])
    }
    // In one order for all, so that no two wait for each other.
    const keys = [...byKey.keys()].sort()
    return this.#inLine(keys, async (lines) => {
      for (let attempt = 1; ; attempt++) {
        const amended = await Promise.all(
          keys.map((key, i) => this.#amend(key, byKey.get(key) ?? [], lines[i] as Line, changes)),
        )
        const written = amended.flatMap((each) => each ?? [])
        const taken = new Set(written.map(({ change }) => change.key))
        const others = changes.filter(({ key }) => !taken.has(key))
        try {
          const revision = await this.#write([...others, ...written.map(({ change }) => change)], dryRun, author)
          if (!dryRun) for (const { line, object } of written) line.known = { object, revision }
          return revision
        } catch (error) {
          const { key: stands } = error instanceof Conflict ? error : { key: '' }
          const at = taken.has(stands) && !changes.some(({ key }) => key === stands) ? keys.indexOf(stands) : -1
          if (at < 0) throw error
          const { resource, name } = (byKey.get(keys[at] as string) as Amendment[])[0] as Amendment
          if (attempt >= maxAttempts) {
            throw conflictError({ group: resource.group, resource: resource.plural }, name, modifiedMessage)
          }
          ;(lines[at] as Line).known = this.#knownOf(resource, (error as Conflict).entry)
        }
      }
    })
  }

  /** The change of one object; undefined: it stays as it is. */
  async #amend(
    key: string,
    amendments: readonly Amendment[],
    line: Line,
    changes: readonly Change[],
  ): Promise<{ change: Change; object: AnyObject; line: Line } | undefined> {
    const { resource } = amendments[0] as Amendment
    const cache = this.#cacheOf(resource)
    const own = changes.find((change) => change.key === key)
    if (own) {
      // A transaction that changes the object itself as well: both are one change.
      const object = own.value === null ? undefined : applied(cache.codec.decode(Buffer.from(own.value), 0), amendments)
      return object && { change: { ...own, value: cache.codec.encode(object) }, object, line }
    }
    const cached = cache.get(key)
    // What this server has just written itself may not have come back yet.
    const isBehind = line.known && (cached?.revision ?? 0) < line.known.revision
    let known: Known = (isBehind ? line.known : undefined) ?? {
      object: cached?.object,
      revision: cached?.revision ?? 0,
    }
    let next: AnyObject | undefined
    try {
      next = applied(known.object, amendments)
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      // The refusal may rest on a cache that lags: ask the store before believing it.
      const entry = await this.#store.get(key)
      if (entry?.modRevision === known.revision) throw error
      known = this.#knownOf(resource, entry)
      line.known = known
      next = applied(known.object, amendments)
    }
    if (!next) return undefined
    const change: Change = { key, expect: known.revision, value: cache.codec.encode(next) }
    return { change, object: next, line }
  }

  #knownOf(resource: Resource, entry: Entry | undefined): Known {
    if (!entry) return { object: undefined, revision: 0 }
    const { codec } = this.#cacheOf(resource)
    return { object: codec.decode(entry.value, entry.modRevision), revision: entry.modRevision }
  }

  async #write(changes: readonly Change[], dryRun: boolean, author: Author): Promise<Revision> {
    if (!dryRun) return this.#store.commit(changes, author)
    for (const { key, expect } of changes) {
      if (expect === 'any') continue
      const entry = await this.#store.get(key)
      if (expect === 'absent' ? entry !== undefined : entry?.modRevision !== expect) throw new Conflict(key, entry)
    }
    return 0
  }

  async #inLine<T>(keys: readonly string[], work: (lines: readonly Line[]) => Promise<T>): Promise<T> {
    const lines: Line[] = []
    const through: (() => void)[] = []
    for (const key of keys) {
      const line = this.#lines.get(key) ?? { last: Promise.resolve(), waiting: 0 }
      this.#lines.set(key, line)
      const before = line.last
      line.last = new Promise((resolve) => through.push(resolve))
      line.waiting++
      lines.push(line)
      await before
    }
    try {
      return await work(lines)
    } finally {
      for (const [i, key] of keys.entries()) {
        const line = lines[i] as Line
        if (--line.waiting === 0) this.#lines.delete(key)
        through[i]?.()
      }
    }
  }
}

/** All amendments of one object, one after the other; undefined when none changes it. */
function applied(standing: AnyObject | undefined, amendments: readonly Amendment[]): AnyObject | undefined {
  if (!standing) return undefined
  let object = standing
  for (const { amend } of amendments) object = amend(object) ?? object
  return object === standing ? undefined : object
}
