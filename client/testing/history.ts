/** What happened to one kind, oldest first, of which only the newest is remembered. */
export class History<C extends { readonly revision: number }> {
  readonly #most: number
  #changes: C[] = []
  /** How many were forgotten: places are counted from the first change ever. */
  #forgotten = 0
  #forgottenTo = 0

  /** At least `most` changes are remembered, and never more than twice as many. */
  constructor(most: number) {
    this.#most = most
  }

  /** Whoever has seen less than this revision has missed something. */
  get forgottenTo(): number {
    return this.#forgottenTo
  }

  /** The place of the next change to come. */
  get end(): number {
    return this.#forgotten + this.#changes.length
  }

  add(change: C): void {
    this.#changes.push(change)
    if (this.#changes.length >= 2 * this.#most) this.#forget(this.#changes.length - this.#most)
  }

  forgetAll(): void {
    this.#forget(this.#changes.length)
  }

  /** The change at a place; undefined where it is forgotten, or still to come. */
  at(place: number): C | undefined {
    return this.#changes[place - this.#forgotten]
  }

  /** The place of the first change after the revision. */
  after(revision: number): number {
    let [low, high] = [0, this.#changes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#changes[middle] as C).revision > revision) high = middle
      else low = middle + 1
    }
    return this.#forgotten + low
  }

  #forget(count: number): void {
    if (count === 0) return
    this.#forgottenTo = (this.#changes[count - 1] as C).revision
    this.#changes = this.#changes.slice(count)
    this.#forgotten += count
  }
}
