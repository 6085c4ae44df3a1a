import { keyOf } from '../../client/key.ts'
import type { Live } from '../../client/types.ts'

/**
 * A cache, and over it what was written and has not come back in it yet. Who decides from what it knew before its own last step
 * would choose a volume that it has given away.
 */
export class Latest<T> {
  readonly #cached: (key: string) => Live<T> | undefined
  readonly #written = new Map<string, Live<T>>()

  constructor(cached: (key: string) => Live<T> | undefined) {
    this.#cached = cached
  }

  /** The newest that is known of the object. */
  get(key: string): Live<T> | undefined {
    const cached = this.#cached(key)
    return cached && this.newer(cached)
  }

  /** What was written, if that is newer. */
  newer(cached: Live<T>): Live<T> {
    const key = keyOf(cached)
    const written = this.#written.get(key)
    if (!written) return cached
    const isBehind = written.metadata.uid === cached.metadata.uid && versionOf(written) > versionOf(cached)
    if (isBehind) return written
    this.#written.delete(key)
    return cached
  }

  /** Remembers, and answers, what the server has answered to a write. */
  wrote(object: Live<T>): Live<T> {
    this.#written.set(keyOf(object), object)
    return object
  }

  /** It is gone. */
  forget(key: string): void {
    this.#written.delete(key)
  }
}

const versionOf = ({ metadata }: { metadata: { resourceVersion?: string } }): bigint =>
  /^\d+$/.test(metadata.resourceVersion ?? '') ? BigInt(metadata.resourceVersion ?? '') : 0n
