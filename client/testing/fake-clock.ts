import type { Clock } from '../types.ts'

interface Sleeper {
  dueAt: number
  wake: () => void
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now: number
  /** Who wakes next is last; of those who are due at one moment, who came first. */
  readonly #sleepers: Sleeper[] = []

  constructor(startMs = Date.parse('2026-01-01T00:00:00Z')) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  /** How many wait. */
  get sleeping(): number {
    return this.#sleepers.length
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = () => {
        this.#remove(sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper: Sleeper = { dueAt: this.#now + ms, wake }
      this.#sleepers.splice(this.#firstDueBy(sleeper.dueAt), 0, sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Moves time on. Who sleeps wakes in order, each at its own moment, and what follows at once happens before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      const next = this.#sleepers.at(-1)
      if (!next || next.dueAt > end) break
      this.#sleepers.pop()
      this.#now = Math.max(this.#now, next.dueAt)
      next.wake()
      await settle()
    }
    this.#now = end
    await settle()
  }

  /** Where those begin who are due at that moment or before. */
  #firstDueBy(moment: number): number {
    let [low, high] = [0, this.#sleepers.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#sleepers[middle] as Sleeper).dueAt <= moment) high = middle
      else low = middle + 1
    }
    return low
  }

  #remove(sleeper: Sleeper): void {
    const at = this.#sleepers.indexOf(sleeper, this.#firstDueBy(sleeper.dueAt))
    if (at >= 0) this.#sleepers.splice(at, 1)
  }
}

/** Lets everything that can go on without time or network go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}
