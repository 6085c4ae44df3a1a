const firstMs = 1000
const mostMs = 15 * 60_000

/** How long what failed must wait before it is tried again: a second, then twice as long each time, up to 15 minutes. */
export class Backoff {
  readonly #waits = new Map<string, { delayMs: number; sinceMs: number }>()

  /** What is left of the wait; 0 if there is none. */
  remainingMs(key: string, nowMs: number): number {
    const wait = this.#waits.get(key)
    return wait ? Math.max(0, wait.sinceMs + wait.delayMs - nowMs) : 0
  }

  /** It is tried again now: the next wait begins. */
  next(key: string, nowMs: number): void {
    // What has been well for long enough starts again with a short wait; and what is not asked for any more is dropped.
    for (const [old, { sinceMs }] of this.#waits) if (nowMs - sinceMs > 2 * mostMs) this.#waits.delete(old)
    const before = this.#waits.get(key)
    this.#waits.set(key, { delayMs: before ? Math.min(2 * before.delayMs, mostMs) : firstMs, sinceMs: nowMs })
  }
}
