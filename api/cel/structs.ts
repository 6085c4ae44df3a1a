/**
 * The engine has no messages: `Object{spec: Object.spec{replicas: 1}}` is read as `{"spec": {"replicas": 1}}`. Types
 * are not checked by that; what comes out is decoded by the kind's own schema.
 */
export function structsAsMaps(expression: string): string {
  if (!/\b(Object|JSONPatch)\b/.test(expression)) return expression
  const tokens = tokensOf(expression)
  /** For each open brace, whether it began a message. */
  const open: boolean[] = []
  let text = ''
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as string
    const type = typeBefore(tokens, i)
    if (type > 0) {
      text += '{'
      open.push(true)
      i += type
      continue
    }
    if (token === '{') open.push(false)
    if (token === '}') open.pop()
    const isField = open.at(-1) === true && /^[A-Za-z_]\w*$/.test(token) && isFieldName(tokens, i)
    text += isField ? JSON.stringify(token) : token
  }
  return text
}

/** Texts (raw, triple quoted, bytes), names, spaces, and single signs. */
const tokensOf = (expression: string): string[] =>
  expression.match(
    /[rRbB]{0,2}(?:"""[\s\S]*?"""|'''[\s\S]*?''')|[rR]"[^"]*"|[rR]'[^']*'|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|[A-Za-z_]\w*|\s+|\/\/[^\n]*|[\s\S]/g,
  ) ?? []

/** How many tokens follow the first of a message's type up to its brace; 0 where there is none. */
function typeBefore(tokens: readonly string[], at: number): number {
  const first = tokens[at]
  if ((first !== 'Object' && first !== 'JSONPatch') || tokens[at - 1] === '.') return 0
  let i = at + 1
  while (tokens[i] === '.' && /^[A-Za-z_`]/.test(tokens[i + 1] ?? '')) i += 2
  while (/^\s+$/.test(tokens[i] ?? '')) i++
  return tokens[i] === '{' ? i - at : 0
}

/** The name of a field: after the brace or a comma, before a colon. */
function isFieldName(tokens: readonly string[], at: number): boolean {
  const isSpace = (token: string | undefined) => token !== undefined && /^\s+$/.test(token)
  let before = at - 1
  while (isSpace(tokens[before])) before--
  let after = at + 1
  while (isSpace(tokens[after])) after++
  return (tokens[before] === '{' || tokens[before] === ',') && tokens[after] === ':'
}
