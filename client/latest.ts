import { keyOf } from './key.ts'
import type { Live } from './types.ts'

interface Entry<T> {
  object: Live<T>
  /** Nobody has been told yet: it stands against the version it was made from. */
  assumed: boolean
}

/**
 * A cache, and over it what was written, or is about to be, and has not come back in it yet. Who decides from what was before
 * its own last step would choose a volume that it has given away.
 */
export class Latest<T> {
  readonly #cached: (key: string) => Live<T> | undefined
  readonly #over = new Map<string, Entry<T>>()

  constructor(cached: (key: string) => Live<T> | undefined) {
    this.#cached = cached
  }

  /** The newest that is known of the object. */
  get(key: string): Live<T> | undefined {
    const cached = this.#cached(key)
    return cached && this.newer(cached)
  }

  /** What was written or assumed, unless the cache has seen something newer. */
  newer(cached: Live<T>): Live<T> {
    if (this.#over.size === 0) return cached
    const key = keyOf(cached)
    const entry = this.#over.get(key)
    if (!entry) return cached
    const { object, assumed } = entry
    const ahead = versionOf(object) - versionOf(cached)
    if (object.metadata.uid === cached.metadata.uid && (ahead > 0n || (assumed && ahead === 0n))) return object
    this.#over.delete(key)
    return cached
  }

  /** Whether the cache shows what was written or assumed, or something newer. */
  isSeen(key: string): boolean {
    const cached = this.#cached(key)
    return cached !== undefined && this.newer(cached) === cached
  }

  /** Remembers, and answers, what the server has answered to a write. */
  wrote(object: Live<T>): Live<T> {
    this.#over.set(keyOf(object), { object, assumed: false })
    return object
  }

  /** What the object is going to be, made from the version it carries. */
  assume(object: Live<T>): void {
    this.#over.set(keyOf(object), { object, assumed: true })
  }

  /** It is gone, or is not going to be what was assumed. */
  forget(key: string): void {
    this.#over.delete(key)
  }
}

const versionOf = ({ metadata }: { metadata: { resourceVersion?: string } }): bigint =>
  /^\d+$/.test(metadata.resourceVersion ?? '') ? BigInt(metadata.resourceVersion ?? '') : 0n
