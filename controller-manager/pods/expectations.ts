import type { Clock } from '../../client/types.ts'

/** How long a controller waits for a cache that never shows what it did. Upstream's number. */
const timeoutMs = 5 * 60_000

interface Awaited {
  created: Set<string>
  deleted: Set<string>
  sinceMs: number
}

/**
 * What a controller did to its objects and its cache has not shown yet. As long as something is left, the cache lies about
 * how many there are, and the controller must not count. Objects are told apart by uid, so what others create or delete
 * meanwhile is not taken for one's own work.
 */
export class Expectations {
  readonly #clock: Clock
  readonly #awaited = new Map<string, Awaited>()
  /** For keys whose creations are under way: what the cache showed before the server's answer was here. */
  readonly #early = new Map<string, Set<string>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether everything done for this key has been seen, or five minutes have passed. */
  satisfied(key: string): boolean {
    const awaited = this.#awaited.get(key)
    if (!awaited) return true
    if (this.#clock.now() - awaited.sinceMs <= timeoutMs) return false
    this.#awaited.delete(key)
    return true
  }

  /** Call before the first creation; the handle takes the answers, and must be closed after the last. */
  creating(key: string): { created(uid: string): void; close(): void } {
    const early = new Set<string>()
    this.#early.set(key, early)
    return {
      created: (uid) => {
        if (!early.has(uid)) this.#of(key).created.add(uid)
      },
      close: () => {
        this.#early.delete(key)
      },
    }
  }

  /** Call before deleting; take back with {@link deletionSeen} what could not be deleted. */
  deleting(key: string, uids: Iterable<string>): void {
    const { deleted } = this.#of(key)
    for (const uid of uids) deleted.add(uid)
    this.#forgetIfDone(key)
  }

  /** The cache shows the object. */
  creationSeen(key: string, uid: string): void {
    this.#early.get(key)?.add(uid)
    if (this.#awaited.get(key)?.created.delete(uid)) this.#forgetIfDone(key)
  }

  /** The object is gone from the cache, or marked as being deleted: for its controller that is the same. */
  deletionSeen(key: string, uid: string): void {
    this.creationSeen(key, uid)
    if (this.#awaited.get(key)?.deleted.delete(uid)) this.#forgetIfDone(key)
  }

  /** The controller itself is gone: another of its name starts anew. */
  forget(key: string): void {
    this.#awaited.delete(key)
  }

  #of(key: string): Awaited {
    let awaited = this.#awaited.get(key)
    if (!awaited) {
      awaited = { created: new Set(), deleted: new Set(), sinceMs: this.#clock.now() }
      this.#awaited.set(key, awaited)
    }
    return awaited
  }

  #forgetIfDone(key: string): void {
    const awaited = this.#awaited.get(key)
    if (awaited && awaited.created.size === 0 && awaited.deleted.size === 0) this.#awaited.delete(key)
  }
}
