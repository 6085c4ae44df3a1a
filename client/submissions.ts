import { type BatchItem, type BatchResult, maxBatchItems } from '../api/gantry/batch.ts'
import { StatusError } from '../api/machinery/errors.ts'
import { errorOf } from './status.ts'
import type { Submitted } from './types.ts'

export interface SubmissionsOptions {
  /** Sends many in one request. */
  batch(items: readonly BatchItem[]): Promise<{ results: BatchResult[] }>
  /** Sends one. */
  single(item: BatchItem): Promise<Submitted>
  now(): number
}

interface Waiting {
  item: BatchItem
  resolve(answer: Submitted): void
  reject(error: unknown): void
}

/** While one batch is served the next one gathers. */
const batchesAtOnce = 2
const singlesAtOnce = 32
/** A server that takes no batches, which is any but ours, is asked again so much later. */
const askAgainMs = 300_000

/**
 * Creations whose answer is short, sent together: those that come while others are under way wait and go as one request.
 * One that comes alone goes at once, as any other request. A server without batches gets them one by one.
 */
export class Submissions {
  readonly #options: SubmissionsOptions
  readonly #waiting: Waiting[] = []
  #underWay = 0
  #isScheduled = false
  #singleUntilMs = Number.NEGATIVE_INFINITY

  constructor(options: SubmissionsOptions) {
    this.#options = options
  }

  /** Resolves when the item has been created, or rejects as it would have been refused alone. */
  submit(item: BatchItem): Promise<Submitted> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#schedule()
    })
  }

  /** At the end of this turn: what comes in one goes together. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#sendWaiting()
    })
  }

  #sendWaiting(): void {
    const single = this.#options.now() < this.#singleUntilMs
    while (this.#waiting.length > 0 && this.#underWay < (single ? singlesAtOnce : batchesAtOnce)) {
      const some = this.#waiting.splice(0, single ? 1 : maxBatchItems)
      this.#underWay++
      const sent = some.length === 1 ? this.#sendOne(some[0] as Waiting) : this.#sendAll(some)
      void sent.finally(() => {
        this.#underWay--
        if (this.#waiting.length > 0) this.#sendWaiting()
      })
    }
  }

  async #sendOne({ item, resolve, reject }: Waiting): Promise<void> {
    await this.#options.single(item).then(resolve, reject)
  }

  async #sendAll(some: readonly Waiting[]): Promise<void> {
    let results: BatchResult[]
    try {
      results = (await this.#options.batch(some.map(({ item }) => item))).results
    } catch (error) {
      if (isRefused(error)) {
        this.#singleUntilMs = this.#options.now() + askAgainMs
        this.#waiting.unshift(...some)
      } else {
        for (const { reject } of some) reject(error)
      }
      return
    }
    for (const [i, { resolve, reject }] of some.entries()) {
      const { code, metadata = {}, status } = results[i] ?? { code: 500 }
      if (code < 300) resolve(metadata)
      else reject(errorOf(status, code))
    }
  }
}

/** The server knows no batches, or does not want ours: nothing has been done. */
const isRefused = (error: unknown): boolean => error instanceof StatusError && [403, 404, 405, 413].includes(error.code)
