import type { ServerResponse } from 'node:http'
import { timeoutError } from '../../api/machinery/errors.ts'
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

  /** Watches one request until its answer is out. */
  add(res: ServerResponse): void {
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
      if (!res.headersSent) res.setHeader('Connection', 'close')
      sendError(res, timeoutError('request did not complete within the allotted timeout'), json)
    }
  }
}
