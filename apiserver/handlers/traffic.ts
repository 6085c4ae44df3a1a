import type { RequestInfo } from './request-info.ts'

/** What was answered between two looks. */
export interface TrafficSample {
  /** Requests a second. */
  reads: number
  writes: number
  /** Of these, those answered with 5xx. */
  errors: number
  /** Milliseconds within which half of them, and 99 of 100, were answered; NaN when there were none. */
  p50: number
  p99: number
}

const firstBoundMs = 0.25
const growth = 1.35
const bounds = Array.from({ length: 42 }, (_, i) => firstBoundMs * growth ** i)
/** They last as long as their client likes. */
const longRunning = new Set(['exec', 'attach', 'portforward', 'proxy', 'log'])

/** Counts requests and how long they take, at the cost of two additions each. */
export class Traffic {
  readonly #buckets = new Float64Array(bounds.length + 1)
  #reads = 0
  #writes = 0
  #errors = 0
  #sinceMs: number

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
  }

  observe(
    { verb, method, subresource }: Pick<RequestInfo, 'verb' | 'method' | 'subresource'>,
    code: number,
    ms: number,
  ): void {
    if (verb === 'watch' || longRunning.has(subresource)) return
    if (method === 'GET' || method === 'HEAD') this.#reads++
    else this.#writes++
    if (code >= 500) this.#errors++
    const bucket =
      ms <= firstBoundMs ? 0 : Math.min(bounds.length, Math.ceil(Math.log(ms / firstBoundMs) / Math.log(growth)))
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1
  }

  /** What was answered since the last look, and begins anew. */
  take(nowMs: number): TrafficSample {
    const seconds = Math.max(1e-3, (nowMs - this.#sinceMs) / 1000)
    const sample = {
      reads: this.#reads / seconds,
      writes: this.#writes / seconds,
      errors: this.#errors / seconds,
      p50: this.#quantile(0.5),
      p99: this.#quantile(0.99),
    }
    this.#buckets.fill(0)
    this.#reads = 0
    this.#writes = 0
    this.#errors = 0
    this.#sinceMs = nowMs
    return sample
  }

  /** Between the bounds of a bucket, requests are taken to be spread evenly. */
  #quantile(part: number): number {
    const total = this.#reads + this.#writes
    if (total === 0) return Number.NaN
    const wanted = total * part
    let before = 0
    for (const [i, count] of this.#buckets.entries()) {
      if (before + count < wanted) {
        before += count
        continue
      }
      const from = i === 0 ? 0 : (bounds[i - 1] as number)
      const to = bounds[i] ?? from
      return from + (to - from) * ((wanted - before) / count)
    }
    return bounds.at(-1) as number
  }
}
