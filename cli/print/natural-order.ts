const isDigit = (letter: string): boolean => /^\p{Nd}$/u.test(letter)
const isLetter = (letter: string): boolean => /^\p{L}$/u.test(letter)

/** Names of fields in the order in which kubectl's YAML has them: numbers in them by their size, other signs before letters. */
export function inNaturalOrder(a: string, b: string): number {
  const [as, bs] = [[...a], [...b]]
  const at = as.findIndex((letter, i) => letter !== bs[i])
  if (at < 0 || at >= bs.length) return as.length - bs.length
  const [one, other] = [as[at] as string, bs[at] as string]
  if (isLetter(one) && isLetter(other)) return one < other ? -1 : 1
  if (isLetter(one) || isLetter(other)) return isLetter(one) ? 1 : -1
  // Zeros at the front count for nothing; within a number they do.
  const front = as.slice(0, at).join('')
  const isWithin = /[1-9]\d*$/.test(front) && (one === '0' || other === '0')
  const [first, second] = [numberFrom(as, at), numberFrom(bs, at)]
  const size = (digits: string) => Number((isWithin ? '1' : '') + digits || '0')
  if (size(first) !== size(second)) return size(first) - size(second)
  if (first.length !== second.length) return first.length - second.length
  return one < other ? -1 : 1
}

function numberFrom(letters: readonly string[], at: number): string {
  let end = at
  while (end < letters.length && isDigit(letters[end] as string)) end++
  return letters.slice(at, end).join('')
}
