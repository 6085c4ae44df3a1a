import type { ServerResponse } from 'node:http'
import { parseDuration } from '../../api/machinery/duration.ts'
import { badRequestError, timeoutError } from '../../api/machinery/errors.ts'
import { maxTimerMs } from '../../api/machinery/timers.ts'
import { sendError } from './respond.ts'

const sweepMs = 1000
const json = { format: 'json', as: 'object', asVersion: 'v1', pretty: false } as const

/**
 * Ends requests that take longer than `limitMs`: with 504 where nothing has been answered yet, else by cutting off the
 * client that does not read. One sweep a second for all, because a timer for each would cost every request.
 */
export class Deadlines {
  readonly #limitMs: number
  readonly #sweep: NodeJS.Timeout
  /** In the order of their starts: the first ones run out first. */
  readonly #running = new Map<ServerResponse, number>()

  /** 0: no limit. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs
    this.#sweep = setInterval(() => this.#endLate(performance.now()), sweepMs)
    this.#sweep.unref()
  }

  /** Watches one request until its answer is out. `wantedMs`: the client will not wait longer than that; 0: as long as others. */
  add(res: ServerResponse, wantedMs = 0): void {
    if (wantedMs > 0 && (this.#limitMs === 0 || wantedMs < this.#limitMs)) {
      const timer = setTimeout(() => endLate(res), Math.min(wantedMs, maxTimerMs))
      res.once('close', () => clearTimeout(timer))
      return
    }
    if (this.#limitMs === 0) return
    this.#running.set(res, performance.now())
    res.once('close', () => this.#running.delete(res))
  }

  stop(): void {
    clearInterval(this.#sweep)
  }

  #endLate(nowMs: number): void {
    for (const [res, startedAt] of this.#running) {
      if (nowMs - startedAt < this.#limitMs) return
      this.#running.delete(res)
      endLate(res)
    }
  }
}

function endLate(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close')
  sendError(res, timeoutError('request did not complete within the allotted timeout'), json)
}

/** The time that a client gives its request with `?timeout=`, in milliseconds; 0: none given. Throws 400 for what is no duration. */
export function wantedTimeMs(query: URLSearchParams): number {
  const text = query.get('timeout')
  if (!text) return 0
  const ms = parseDuration(text)
  if (ms === undefined || ms < 0) {
    throw badRequestError(
      `invalid timeout specified in the request URL: ${JSON.stringify(text)} is not a duration such as 30s`,
    )
  }
  return ms
}
