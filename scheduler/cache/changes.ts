const remembered = 4096

/** Which rows of the columns have changed, in order, so that whoever has looked at all of them need not do so again. */
export class Changes {
  readonly #log = new Int32Array(remembered)
  /** When each row has changed for the last time. */
  #last = new Float64Array(64)
  #now = 0

  /** How many changes there have been. */
  get now(): number {
    return this.#now
  }

  mark(row: number): void {
    this.#log[this.#now % remembered] = row
    this.#now++
    if (row >= this.#last.length) {
      const longer = new Float64Array(Math.max(row + 1, this.#last.length * 2))
      longer.set(this.#last)
      this.#last = longer
    }
    this.#last[row] = this.#now
  }

  /** Visits every row that has changed since there were so many changes. */
  since(then: number, visit: (row: number) => void): void {
    if (this.#now - then <= remembered) {
      for (let change = then; change < this.#now; change++) {
        const row = this.#log[change % remembered] as number
        // A row that has changed again is visited then.
        if (this.#last[row] === change + 1) visit(row)
      }
      return
    }
    for (let row = 0; row < this.#last.length; row++) if ((this.#last[row] as number) > then) visit(row)
  }
}
