import type { Requests } from '../framework/requests.ts'

/** One resource of all nodes: a number a row, in thousandths for cpu and whole units for all else. */
export interface ResourceColumn {
  allocatable: Float64Array
  requested: Float64Array
}

const firstRows = 64

/**
 * What nodes have and what is taken of it, as columns of numbers with a row for each node. A sum of bytes stays exact up
 * to 2^53. Arrays are replaced when rows are added: nobody keeps one beyond a cycle.
 */
export class Columns {
  cpu = newColumn(firstRows)
  memory = newColumn(firstRows)
  storage = newColumn(firstRows)
  /** Extended resources, huge pages and the like, by name. */
  readonly scalars = new Map<string, ResourceColumn>()
  /** What scoring takes to be requested: containers that ask for nothing count as asking for a little. */
  scoredCpu = new Float64Array(firstRows)
  scoredMemory = new Float64Array(firstRows)
  podCount = new Int32Array(firstRows)
  maxPods = new Int32Array(firstRows)
  readonly #free: number[] = []
  #rows = 0

  /** A row of zeros. */
  takeRow(): number {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#rows === this.podCount.length) this.#grow()
    return this.#rows++
  }

  /** The row may be given to another node. */
  releaseRow(row: number): void {
    for (const column of this.#columns()) {
      column.allocatable[row] = 0
      column.requested[row] = 0
    }
    for (const numbers of [this.scoredCpu, this.scoredMemory, this.podCount, this.maxPods]) numbers[row] = 0
    this.#free.push(row)
  }

  /** Adds a pod to a row, or with sign -1 takes it off. */
  count(row: number, requests: Requests, sign: 1 | -1): void {
    add(this.podCount, row, sign)
    add(this.cpu.requested, row, sign * requests.milliCpu)
    add(this.memory.requested, row, sign * requests.memoryBytes)
    add(this.storage.requested, row, sign * requests.storageBytes)
    add(this.scoredCpu, row, sign * requests.scoredMilliCpu)
    add(this.scoredMemory, row, sign * requests.scoredMemoryBytes)
    for (const [name, amount] of requests.scalars) add(this.scalar(name).requested, row, sign * amount)
  }

  /** The column of an extended resource, made when first asked for. */
  scalar(name: string): ResourceColumn {
    let column = this.scalars.get(name)
    if (!column) {
      column = newColumn(this.podCount.length)
      this.scalars.set(name, column)
    }
    return column
  }

  *#columns(): Iterable<ResourceColumn> {
    yield this.cpu
    yield this.memory
    yield this.storage
    yield* this.scalars.values()
  }

  #grow(): void {
    const rows = this.podCount.length * 2
    for (const column of this.#columns()) {
      column.allocatable = longer(column.allocatable, rows)
      column.requested = longer(column.requested, rows)
    }
    this.scoredCpu = longer(this.scoredCpu, rows)
    this.scoredMemory = longer(this.scoredMemory, rows)
    const counts = [new Int32Array(rows), new Int32Array(rows)] as const
    counts[0].set(this.podCount)
    counts[1].set(this.maxPods)
    ;[this.podCount, this.maxPods] = counts
  }
}

const newColumn = (rows: number): ResourceColumn => ({
  allocatable: new Float64Array(rows),
  requested: new Float64Array(rows),
})

function longer(numbers: Float64Array, rows: number): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(rows)
  copy.set(numbers)
  return copy
}

function add(numbers: Float64Array | Int32Array, row: number, amount: number): void {
  numbers[row] = (numbers[row] as number) + amount
}
