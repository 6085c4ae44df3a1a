import type { Clock } from '../types.ts'

interface Sleeper {
  dueAt: number
  wake: () => void
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now: number
  readonly #sleepers = new Set<Sleeper>()

  constructor(startMs = Date.parse('2026-01-01T00:00:00Z')) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  /** How many wait. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = () => {
        if (this.#sleepers.delete(sleeper)) reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper: Sleeper = { dueAt: this.#now + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Moves time on. Who sleeps wakes in order, each at its own moment, and what follows at once happens before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      let next: Sleeper | undefined
      for (const sleeper of this.#sleepers)
        if (sleeper.dueAt <= end && (!next || sleeper.dueAt < next.dueAt)) next = sleeper
      if (!next) break
      this.#sleepers.delete(next)
      this.#now = Math.max(this.#now, next.dueAt)
      next.wake()
      await settle()
    }
    this.#now = end
    await settle()
  }
}

/** Lets everything that can go on without time or network go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}
