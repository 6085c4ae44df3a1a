const ids = new WeakMap<object, number>()
let last = 0

/** A number for an object, the same as long as it lives: parts that pods share tell alike pods without being read. */
export function idOf(value: object | undefined): number {
  if (value === undefined) return 0
  let id = ids.get(value)
  if (id === undefined) {
    last++
    id = last
    ids.set(value, id)
  }
  return id
}
