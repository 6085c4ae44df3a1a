import { StatusError } from '../../api/machinery/errors.ts'
import type { Api, Clock, WatchEvent } from '../../client/types.ts'

export interface Faults {
  /** From 0 to 1, from one seed. */
  random: () => number
  /** The longest that a request is on its way, and an event of a watch. */
  requestMs: number
  watchMs: number
  /** How many of a hundred requests fail before they are made, and how many after. */
  lostPercent: number
  unansweredPercent: number
}

/** An API as one process sees it: slow, at times out of reach, answers lost, and news late. */
export class FaultyApi {
  readonly api: Api
  faults: Faults
  readonly #real: Api
  readonly #clock: Clock
  #dead = false
  #hangsUntil = 0

  constructor(real: Api, clock: Clock, faults: Faults) {
    this.#real = real
    this.#clock = clock
    this.faults = faults
    this.api = new Proxy(real, {
      get: (_, method) => {
        if (method === 'watch') return (...args: Parameters<Api['watch']>) => this.#watch(...args)
        return (...args: unknown[]) => this.#call(method as keyof Api, args)
      },
    })
  }

  /** The process is no more: what it has sent still arrives, but it hears and does nothing further. */
  kill(): void {
    this.#dead = true
  }

  /** For so long its watches hear nothing, while requests get through. */
  hang(ms: number): void {
    this.#hangsUntil = this.#clock.now() + ms
  }

  async #call(method: keyof Api, args: unknown[]): Promise<unknown> {
    const { lostPercent, unansweredPercent } = this.faults
    const isLost = this.#happens(lostPercent)
    const isUnanswered = this.#happens(unansweredPercent)
    if (this.#dead) return never
    await this.#delay(this.faults.requestMs)
    if (isLost) throw unreachable()
    const call = this.#real[method] as (...all: unknown[]) => Promise<unknown>
    const answer = await call.apply(this.#real, args)
    await this.#delay(this.faults.requestMs)
    if (this.#dead) return never
    if (isUnanswered) throw unreachable()
    return answer
  }

  async *#watch<T>(...args: Parameters<Api['watch']>): AsyncGenerator<WatchEvent<T>> {
    await this.#delay(this.faults.requestMs)
    for await (const event of this.#real.watch(...args)) {
      await this.#delay(this.faults.watchMs)
      if (this.#hangsUntil > this.#clock.now()) await this.#clock.sleep(this.#hangsUntil - this.#clock.now())
      if (this.#dead) await never
      yield event as WatchEvent<T>
    }
  }

  #happens(percent: number): boolean {
    return this.faults.random() * 100 < percent
  }

  async #delay(mostMs: number): Promise<void> {
    const ms = Math.floor(this.faults.random() * mostMs)
    if (ms > 0) await this.#clock.sleep(ms)
  }
}

const never = new Promise<never>(() => {})
const unreachable = () => new StatusError(503, 'ServiceUnavailable', 'nobody answers')

/** Numbers from 0 to 1 that follow from a seed alone. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
