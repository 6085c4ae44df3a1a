/** What is known of every row, in columns that several rankings share: each row is in one of them at most. */
export class Ranks {
  /** The higher, the better. */
  rank: Float64Array
  /** Where the row stands in its ranking. */
  place: Int32Array

  constructor(rows: number) {
    this.rank = new Float64Array(rows)
    this.place = new Int32Array(rows)
  }

  grow(rows: number): void {
    const [rank, place] = [new Float64Array(rows), new Int32Array(rows)]
    rank.set(this.rank)
    place.set(this.place)
    this.rank = rank
    this.place = place
  }
}

/** Rows with the best at the top: a heap, so that a row that changes costs the logarithm of their number. */
export class Ranking {
  readonly #ranks: Ranks
  readonly #rows: number[] = []

  constructor(ranks: Ranks) {
    this.#ranks = ranks
  }

  get size(): number {
    return this.#rows.length
  }

  /** The best for 0; those below place i, none of them better, are at 2i + 1 and 2i + 2. Undefined where there is none. */
  at(place: number): number | undefined {
    return this.#rows[place]
  }

  add(row: number): void {
    this.#rows.push(row)
    this.#rise(row, this.#rows.length - 1)
  }

  remove(row: number): void {
    const place = this.#ranks.place[row] as number
    const last = this.#rows.pop() as number
    if (last !== row) this.#settle(last, place)
  }

  /** The rank of the row is another one than it was. */
  moved(row: number): void {
    this.#settle(row, this.#ranks.place[row] as number)
  }

  #settle(row: number, place: number): void {
    this.#rows[place] = row
    this.#rise(row, place)
    if (this.#ranks.place[row] === place) this.#sink(row, place)
  }

  #rise(row: number, from: number): void {
    const { rank } = this.#ranks
    const own = rank[row] as number
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      const other = this.#rows[above] as number
      if ((rank[other] as number) >= own) break
      this.#put(other, place)
      place = above
    }
    this.#put(row, place)
  }

  #sink(row: number, from: number): void {
    const { rank } = this.#ranks
    const own = rank[row] as number
    const rows = this.#rows
    let place = from
    for (;;) {
      let below = 2 * place + 1
      if (below >= rows.length) break
      if (
        below + 1 < rows.length &&
        (rank[rows[below + 1] as number] as number) > (rank[rows[below] as number] as number)
      )
        below++
      const other = rows[below] as number
      if ((rank[other] as number) <= own) break
      this.#put(other, place)
      place = below
    }
    this.#put(row, place)
  }

  #put(row: number, place: number): void {
    this.#rows[place] = row
    this.#ranks.place[row] = place
  }
}
