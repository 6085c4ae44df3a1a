import type { Clock } from '../../client/types.ts'

/** A rest between rounds of a loop, which others may end early; also before it has begun. */
export class Nap {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  #woken = false
  #wake: (() => void) | undefined

  /** The signal ends every rest. */
  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
  }

  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** Resolves after `ms`, or as soon as somebody wakes, or has woken since the last rest. */
  async rest(ms: number): Promise<void> {
    const abort = new AbortController()
    const end = (): void => abort.abort()
    this.#wake = end
    if (this.#woken || this.#signal.aborted) end()
    this.#signal.addEventListener('abort', end, { once: true })
    await this.#clock.sleep(ms, abort.signal).catch(() => undefined)
    this.#signal.removeEventListener('abort', end)
    this.#wake = undefined
    this.#woken = false
  }
}
