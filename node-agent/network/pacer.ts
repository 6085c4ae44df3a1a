import { setTimeout as delay } from 'node:timers/promises'

export interface Pace {
  /** From the first request to the work: what comes meanwhile is done with it. */
  settleMs: number
  /** Between the end of one round of work and the start of the next, at least; and as long as the last round took. */
  gapMs: number
  /** After a round that failed; doubled each time, up to thirty times this. */
  retryMs: number
}

/** Gathers requests into rounds of work, one at a time: a single change is quick, a thousand changes are a few rounds. */
export class Pacer {
  readonly #work: () => Promise<void>
  readonly #failed: (error: unknown) => void
  readonly #pace: Pace
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #wanted = false
  #lastEnd = 0
  #gapMs = 0
  #failures = 0

  constructor(work: () => Promise<void>, failed: (error: unknown) => void, pace: Partial<Pace> = {}) {
    this.#work = work
    this.#failed = failed
    this.#pace = { settleMs: 5, gapMs: 40, retryMs: 1000, ...pace }
  }

  request(): void {
    this.#wanted = true
    if (!this.#stop.signal.aborted) this.#running ??= this.#rounds()
  }

  /** Resolves when nothing is running; no round starts after this. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #rounds(): Promise<void> {
    const { settleMs, gapMs, retryMs } = this.#pace
    while (this.#wanted) {
      const gap = this.#lastEnd + this.#gapMs - performance.now()
      await delay(Math.max(settleMs, gap), undefined, { signal: this.#stop.signal }).catch(() => undefined)
      if (this.#stop.signal.aborted) break
      this.#wanted = false
      const start = performance.now()
      try {
        await this.#work()
        this.#failures = 0
      } catch (error) {
        this.#failed(error)
        this.#wanted = true
        this.#failures += 1
      }
      this.#lastEnd = performance.now()
      this.#gapMs =
        this.#failures > 0
          ? retryMs * Math.min(2 ** (this.#failures - 1), 30)
          : Math.min(Math.max(gapMs, this.#lastEnd - start), 1000)
    }
    this.#running = undefined
  }
}
