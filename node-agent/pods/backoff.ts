/** The waiting time before a failed thing is tried again: doubles with every failure, and is forgotten after a quiet time. */
export class BackOff {
  readonly #initialMs: number
  readonly #maxMs: number
  readonly #forgetMs: number
  readonly #entries = new Map<string, { waitMs: number; since: number }>()

  /** Upstream's for containers and for images: 10 s doubling to 5 minutes, forgotten after 10 quiet minutes. */
  constructor({ initialMs = 10_000, maxMs = 300_000, forgetMs = 600_000 } = {}) {
    this.#initialMs = initialMs
    this.#maxMs = maxMs
    this.#forgetMs = forgetMs
  }

  /** Milliseconds still to wait at `now` when the last failure was at `failedAt`; 0: try. */
  remaining(key: string, failedAt: number, now: number): number {
    const entry = this.#entries.get(key)
    if (!entry || failedAt - entry.since > this.#forgetMs) return 0
    return Math.max(0, failedAt + entry.waitMs - now)
  }

  /** The wait that applies now, for messages. */
  current(key: string): number {
    return this.#entries.get(key)?.waitMs ?? 0
  }

  /** Another try begins, after a failure at `failedAt`: the next one must wait longer. `limits` are those of the key alone. */
  next(key: string, failedAt: number, now: number, limits: { initialMs?: number; maxMs?: number } = {}): void {
    const { initialMs = this.#initialMs, maxMs = this.#maxMs } = limits
    const entry = this.#entries.get(key)
    const fresh = !entry || failedAt - entry.since > this.#forgetMs
    this.#entries.set(key, { waitMs: Math.min(fresh ? initialMs : entry.waitMs * 2, maxMs), since: now })
  }

  forget(key: string): void {
    this.#entries.delete(key)
  }

  /** Forgets all keys that start with `prefix`. */
  forgetAll(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key)
  }
}

/** A duration as Go prints it: `10s`, `1m20s`, `5m0s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m${seconds % 60}s`
  return `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds % 60}s`
}
