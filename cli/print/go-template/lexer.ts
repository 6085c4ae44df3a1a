import { broken } from './errors.ts'

/** A piece of an action, and where in the template it begins. */
export interface Token {
  type: 'word' | 'field' | 'variable' | 'string' | 'number' | 'char' | 'sign'
  text: string
  at: number
  /** Whether a space is before it: `.a .b` are two, `.a.b` is one. */
  apart: boolean
}

/** Text to be copied, or an action. */
export type Piece = { type: 'text'; text: string } | { type: 'action'; tokens: Token[]; at: number }

const opening = /\{\{(-(?=\s))?/g
const comment = /\/\*[\s\S]*?\*\//y
const closing = /(?:\s+-)?\}\}/y

/** Takes a template apart. Spaces beside `{{- ` and ` -}}` are gone, comments too. */
export function lex(text: string): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  let trimStart = false
  while (true) {
    opening.lastIndex = from
    const open = opening.exec(text)
    let copied = text.slice(from, open?.index)
    if (trimStart) copied = copied.trimStart()
    if (open?.[1]) copied = copied.trimEnd()
    if (copied !== '') pieces.push({ type: 'text', text: copied })
    if (!open) return pieces
    const start = open.index + open[0].length
    const { tokens, end, trims } = lexAction(text, start, open.index)
    if (tokens) pieces.push({ type: 'action', tokens, at: open.index })
    from = end
    trimStart = trims
  }
}

const tokenPatterns: readonly (readonly [Token['type'], RegExp])[] = [
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\.)+'/y],
  ['number', /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['sign', /:=|[.|(),=]/y],
]

/** The tokens up to `}}`; none for a comment. */
function lexAction(text: string, start: number, at: number) {
  const skipped = /\s*/y
  skipped.lastIndex = start
  skipped.exec(text)
  const commented = matchAt(comment, text, skipped.lastIndex)
  if (commented !== undefined) {
    const close = matchAt(closing, text, skipped.lastIndex + commented.length)
    if (close === undefined) throw broken(text, at, 'a comment ends its action: close it with */}}')
    return { tokens: undefined, end: skipped.lastIndex + commented.length + close.length, trims: /-/.test(close) }
  }
  const tokens: Token[] = []
  let i = start
  while (true) {
    const close = matchAt(closing, text, i)
    if (close !== undefined) return { tokens, end: i + close.length, trims: close.includes('-') }
    const space = matchAt(/\s+/y, text, i)
    if (space !== undefined) i += space.length
    if (i >= text.length) throw broken(text, at, 'unclosed action: {{ without its }}')
    if (matchAt(closing, text, i) !== undefined) continue
    const token = nextToken(text, i, space !== undefined)
    tokens.push(token)
    i += token.text.length
  }
}

function nextToken(text: string, at: number, apart: boolean): Token {
  for (const [type, pattern] of tokenPatterns) {
    const found = matchAt(pattern, text, at)
    if (found !== undefined) return { type, text: found, at, apart }
  }
  const letter = text[at] as string
  throw broken(
    text,
    at,
    /["'`]/.test(letter)
      ? `unterminated quoted string: a ${letter} without its other`
      : `unexpected "${letter}" in action`,
  )
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}
