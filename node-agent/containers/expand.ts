/**
 * Replaces `$(NAME)` by the variable's value; `$$` stands for one dollar sign, and what names no variable stays as it is.
 */
export function expand(text: string, values: (name: string) => string | undefined): string {
  let result = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    if (char !== '$' || at + 1 >= text.length) {
      result += char
      continue
    }
    const next = text[at + 1]
    if (next === '$') {
      result += '$'
      at++
      continue
    }
    const end = next === '(' ? text.indexOf(')', at + 2) : -1
    if (end < 0) {
      result += '$'
      if (next !== '(') {
        result += next
        at++
      }
      continue
    }
    const name = text.slice(at + 2, end)
    result += values(name) ?? `$(${name})`
    at = end
  }
  return result
}
