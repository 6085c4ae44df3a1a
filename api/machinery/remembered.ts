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
