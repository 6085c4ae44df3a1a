import type { Clock } from '../../client/types.ts'

/** A cache that has not shown a write by then is believed all the same: the object may be gone. */
const timeoutMs = 60_000

interface Write {
  resourceVersion: bigint
  atMs: number
}

/**
 * The versions that a controller wrote and its cache has not shown yet. Upstream's consistency store: one that decides from a
 * cache in which its last step is missing takes that step again, elsewhere.
 */
export class OwnWrites {
  readonly #clock: Clock
  readonly #writes = new Map<string, Map<string, Write>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The controller `key` wrote `object`, and the server answered with this version. */
  wrote(key: string, object: string, resourceVersion: string | undefined): void {
    if (resourceVersion === undefined || !/^\d+$/.test(resourceVersion)) return
    let writes = this.#writes.get(key)
    if (!writes) {
      writes = new Map()
      this.#writes.set(key, writes)
    }
    writes.set(object, { resourceVersion: BigInt(resourceVersion), atMs: this.#clock.now() })
  }

  /**
   * Whether the cache shows all that `key` wrote; `versionOf` tells the version it has of an object, undefined if it has none.
   * An object that is missing counts as not seen yet.
   */
  seen(key: string, versionOf: (object: string) => string | undefined): boolean {
    const writes = this.#writes.get(key)
    if (!writes) return true
    for (const [object, { resourceVersion, atMs }] of writes) {
      const version = versionOf(object)
      const shown = version !== undefined && /^\d+$/.test(version) && BigInt(version) >= resourceVersion
      if (shown || this.#clock.now() - atMs > timeoutMs) writes.delete(object)
    }
    if (writes.size > 0) return false
    this.#writes.delete(key)
    return true
  }

  /** What was deleted, or the whole controller: no version of it is awaited any more. */
  forget(key: string, object?: string): void {
    if (object === undefined) this.#writes.delete(key)
    else this.#writes.get(key)?.delete(object)
  }
}
