import type { Clock } from '../../../client/types.ts'

const firstMs = 1000
const longestMs = 60_000

/** Who has to rest after a failure: twice as long each time, until there is a success. */
export class Denials {
  readonly #clock: Clock
  readonly #stopping: AbortSignal
  readonly #onEnd: (key: string) => void
  readonly #denied = new Set<string>()
  readonly #restMs = new Map<string, number>()

  /** `onEnd` is told when somebody has rested. Nobody is after `stopping`. */
  constructor(clock: Clock, stopping: AbortSignal, onEnd: (key: string) => void) {
    this.#clock = clock
    this.#stopping = stopping
    this.#onEnd = onEnd
  }

  has(key: string): boolean {
    return this.#denied.has(key)
  }

  deny(key: string): void {
    if (this.#denied.has(key)) return
    const restMs = this.#restMs.get(key) ?? firstMs
    this.#restMs.set(key, Math.min(restMs * 2, longestMs))
    this.#denied.add(key)
    this.#clock.sleep(restMs, this.#stopping).then(
      () => {
        this.#denied.delete(key)
        this.#onEnd(key)
      },
      // The scheduler ends.
      () => {},
    )
  }

  /** The next failure is a first one again. */
  forgive(key: string): void {
    this.#restMs.delete(key)
  }
}
