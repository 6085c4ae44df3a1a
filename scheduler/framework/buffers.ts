/** Arrays of numbers that are used again and again. */
export class Buffers {
  readonly #arrays: Float64Array[] = []

  /** The i-th of them, with whatever was in it before. */
  take(i: number, length: number): Float64Array {
    let array = this.#arrays[i]
    if (!array || array.length < length) {
      array = new Float64Array(Math.max(length, 64))
      this.#arrays[i] = array
    }
    return array.length === length ? array : array.subarray(0, length)
  }
}
