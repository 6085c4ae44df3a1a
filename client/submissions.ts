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
  sinceMs: number
  resolve(answer: Submitted): void
  reject(error: unknown): void
}

/** While one batch is served the next one gathers. */
const batchesAtOnce = 2
const singlesAtOnce = 32
/** A server that takes no batches, which is any but ours, is asked again so much later. */
const askAgainMs = 300_000
/** So long what is sent in the background lets others go first. */
const patienceMs = 5000

/**
 * Creations whose answer is short, sent together: those that come while others are under way wait and go as one request.
 * One that comes alone goes at once, as any other request. A server without batches gets them one by one. What is sent in
 * the background, such as the telling of what was done, stands in the way of what is to be done for no longer than it must.
 */
export class Submissions {
  readonly #options: SubmissionsOptions
  readonly #waiting: Waiting[] = []
  readonly #background: Waiting[] = []
  #underWay = 0
  /** Of those, the ones that are not all background. */
  #urgentUnderWay = 0
  #isScheduled = false
  #singleUntilMs = Number.NEGATIVE_INFINITY

  constructor(options: SubmissionsOptions) {
    this.#options = options
  }

  /** Resolves when the item has been created, or rejects as it would have been refused alone. */
  submit(item: BatchItem, background = false): Promise<Submitted> {
    return new Promise((resolve, reject) => {
      const waiting = background ? this.#background : this.#waiting
      waiting.push({ item, sinceMs: this.#options.now(), resolve, reject })
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
    while (this.#underWay < (single ? singlesAtOnce : batchesAtOnce)) {
      const urgent = this.#waiting.splice(0, single ? 1 : maxBatchItems)
      const room = single ? 1 - urgent.length : maxBatchItems - urgent.length
      const some = [...urgent, ...this.#background.splice(0, Math.min(room, this.#ripe(urgent.length > 0)))]
      if (some.length === 0) return
      const isUrgent = urgent.length > 0
      this.#underWay++
      if (isUrgent) this.#urgentUnderWay++
      const sent = some.length === 1 ? this.#sendOne(some[0] as Waiting) : this.#sendAll(some)
      void sent.finally(() => {
        this.#underWay--
        if (isUrgent) this.#urgentUnderWay--
        this.#sendWaiting()
      })
    }
  }

  /** How many of the background may go: all when nothing else is about, else those that have waited for long enough. */
  #ripe(besideOthers: boolean): number {
    if (!besideOthers && this.#urgentUnderWay === 0) return this.#background.length
    const latestMs = this.#options.now() - patienceMs
    const at = this.#background.findIndex(({ sinceMs }) => sinceMs > latestMs)
    return at < 0 ? this.#background.length : at
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
