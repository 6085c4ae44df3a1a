/** A binary heap of distinct items that knows where each is, so that any can be taken out or moved. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #places = new Map<T, number>()
  readonly #compare: (a: T, b: T) => number

  /** `compare` is negative where a comes out before b. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  has(item: T): boolean {
    return this.#places.has(item)
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    if (this.#places.has(item)) {
      this.moved(item)
      return
    }
    this.#items.push(item)
    this.#places.set(item, this.#items.length - 1)
    this.#rise(this.#items.length - 1)
  }

  pop(): T | undefined {
    const first = this.#items[0]
    if (first !== undefined) this.remove(first)
    return first
  }

  remove(item: T): boolean {
    const at = this.#places.get(item)
    if (at === undefined) return false
    this.#places.delete(item)
    const last = this.#items.pop() as T
    if (at < this.#items.length) {
      this.#put(last, at)
      this.#settle(at)
    }
    return true
  }

  /** To be called when what decides the item's order has changed. */
  moved(item: T): void {
    const at = this.#places.get(item)
    if (at !== undefined) this.#settle(at)
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]()
  }

  #settle(at: number): void {
    if (this.#rise(at) === at) this.#sink(at)
  }

  #rise(start: number): number {
    let at = start
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) break
      this.#swap(at, parent)
      at = parent
    }
    return at
  }

  #sink(start: number): void {
    let at = start
    for (;;) {
      const left = 2 * at + 1
      if (left >= this.#items.length) return
      const right = left + 1
      const child = right < this.#items.length && this.#before(right, left) ? right : left
      if (!this.#before(child, at)) return
      this.#swap(at, child)
      at = child
    }
  }

  #before(a: number, b: number): boolean {
    return this.#compare(this.#items[a] as T, this.#items[b] as T) < 0
  }

  #swap(a: number, b: number): void {
    const item = this.#items[a] as T
    this.#put(this.#items[b] as T, a)
    this.#put(item, b)
  }

  #put(item: T, at: number): void {
    this.#items[at] = item
    this.#places.set(item, at)
  }
}
