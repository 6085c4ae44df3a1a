/** The same answer for the same object, worked out once: parts that pods share are not read for each pod. */
export function remembered<T extends object, R>(workOut: (value: T) => R): (value: T) => R {
  const known = new WeakMap<T, R>()
  return (value) => {
    let answer = known.get(value)
    if (answer === undefined) {
      answer = workOut(value)
      known.set(value, answer)
    }
    return answer
  }
}

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
