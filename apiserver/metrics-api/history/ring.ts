/** What was measured of one thing over time: a number a sample, null where nothing is known. */
export type Series = (number | null)[]

export interface RingOptions {
  /** Samples kept. */
  slots: number
  /** Numbers a sample has of each thing. */
  width: number
  /** Things of which samples are kept; those beyond are not. */
  mostThings: number
}

/** A thing that was not measured for so many samples is gone for good. */
const goneAfter = 20

/** The last samples of many things, in a place of fixed size: a new one takes the place of the oldest. */
export class Ring {
  readonly #options: RingOptions
  readonly #times: Float64Array
  readonly #things = new Map<string, { values: Float32Array; last: number }>()
  /** Samples taken so far. */
  #count = 0

  constructor(options: RingOptions) {
    this.#options = options
    this.#times = new Float64Array(options.slots)
  }

  get size(): number {
    return this.#things.size
  }

  /** When the samples that are kept were taken, in milliseconds, the oldest first. */
  get times(): number[] {
    return this.#order().map((slot) => this.#times[slot] as number)
  }

  /** Adds a sample of everything that could be measured. */
  push(timeMs: number, sample: ReadonlyMap<string, readonly number[]>): void {
    const { slots, width } = this.#options
    const slot = this.#count % slots
    this.#times[slot] = timeMs
    for (const [name, thing] of this.#things) {
      if (sample.has(name)) continue
      if (this.#count - thing.last >= goneAfter) this.#things.delete(name)
      else thing.values.fill(Number.NaN, slot * width, (slot + 1) * width)
    }
    for (const [name, numbers] of sample) {
      const thing = this.#things.get(name) ?? this.#begin(name)
      if (!thing) continue
      thing.values.set(numbers, slot * width)
      thing.last = this.#count
    }
    this.#count++
  }

  /** All that is kept of one thing, a series for each of its numbers; undefined: nothing. */
  read(name: string): Series[] | undefined {
    const thing = this.#things.get(name)
    if (!thing) return undefined
    const { width } = this.#options
    const order = this.#order()
    return Array.from({ length: width }, (_, of) =>
      order.map((slot) => {
        const value = thing.values[slot * width + of] as number
        return Number.isNaN(value) ? null : value
      }),
    )
  }

  /** The things measured in the last sample, with their numbers. */
  *latest(): Iterable<[name: string, numbers: number[]]> {
    const { slots, width } = this.#options
    const slot = (this.#count - 1) % slots
    for (const [name, { values, last }] of this.#things) {
      if (last === this.#count - 1) yield [name, [...values.subarray(slot * width, (slot + 1) * width)]]
    }
  }

  /** The things measured in the last sample before a moment, with their numbers; nothing where none is kept. */
  *at(timeMs: number): Iterable<[name: string, numbers: number[]]> {
    const { width } = this.#options
    const slot = this.#order().findLast((each) => (this.#times[each] as number) <= timeMs)
    if (slot === undefined) return
    for (const [name, { values }] of this.#things) {
      const numbers = [...values.subarray(slot * width, (slot + 1) * width)]
      if (!numbers.some(Number.isNaN)) yield [name, numbers]
    }
  }

  names(): Iterable<string> {
    return this.#things.keys()
  }

  #begin(name: string) {
    const { slots, width, mostThings } = this.#options
    if (this.#things.size >= mostThings) return undefined
    const thing = { values: new Float32Array(slots * width).fill(Number.NaN), last: this.#count }
    this.#things.set(name, thing)
    return thing
  }

  /** The slots in use, the oldest first. */
  #order(): number[] {
    const { slots } = this.#options
    const kept = Math.min(this.#count, slots)
    return Array.from({ length: kept }, (_, i) => (this.#count - kept + i) % slots)
  }
}
