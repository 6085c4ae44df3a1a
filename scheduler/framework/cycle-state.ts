/** Names what a plugin remembers from one point of a cycle to the next, and carries its type. */
export interface StateKey<T> {
  readonly name: string
  /** Never set: carries the type. */
  readonly of?: T
}

export const stateKey = <T>(name: string): StateKey<T> => ({ name })

/** What changes when pods are put on and taken off nodes to see what would be, and so is copied before. */
export interface Copyable<T> {
  copy(): T
}

/** What plugins remember while one pod is being scheduled. */
export class CycleState {
  readonly #values = new Map<StateKey<unknown>, unknown>()
  /** Plugins whose preFilter had nothing to say about this pod: their filter is left out. */
  readonly skipsFilter = new Set<string>()
  /** The same for preScore and score. */
  readonly skipsScore = new Set<string>()

  write<T>(key: StateKey<T>, value: T): void {
    this.#values.set(key, value)
  }

  /** Throws an Error where nothing was written: the plugin's earlier point did not run. */
  read<T>(key: StateKey<T>): T {
    const value = this.#values.get(key)
    if (value === undefined) throw new Error(`nothing is known of ${key.name} in this cycle`)
    return value as T
  }

  /** Undefined where nothing was written. */
  find<T>(key: StateKey<T>): T | undefined {
    return this.#values.get(key) as T | undefined
  }

  copy(): CycleState {
    const copy = new CycleState()
    for (const [key, value] of this.#values) copy.#values.set(key, isCopyable(value) ? value.copy() : value)
    for (const name of this.skipsFilter) copy.skipsFilter.add(name)
    for (const name of this.skipsScore) copy.skipsScore.add(name)
    return copy
  }
}

function isCopyable(value: unknown): value is Copyable<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as Copyable<unknown>).copy === 'function'
}
