import { isAmbiguous } from './ambiguous.ts'

/**
 * An object as KYAML: YAML in which every string value is quoted, and what is inside of what is told by brackets, so that
 * neither indentation nor a bare `no` can be misread. The form is that of kubectl, to the letter.
 */
export const toKyaml = (value: unknown): string => `---\n${node(value, 0)}\n`

function node(value: unknown, depth: number): string {
  if (typeof value === 'string') return quoted(value, depth + 1)
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? list(value, depth) : fields(value as Record<string, unknown>, depth)
}

function fields(object: Readonly<Record<string, unknown>>, depth: number): string {
  const names = Object.keys(object)
    .filter((name) => object[name] !== undefined)
    .sort()
  if (names.length === 0) return '{}'
  const lines = names.map((name) => `${indent(depth + 1)}${key(name)}: ${node(object[name], depth + 1)},\n`)
  return `{\n${lines.join('')}${indent(depth)}}`
}

/** Brackets of objects stand beside those of their list. */
function list(items: readonly unknown[], depth: number): string {
  if (items.length === 0) return '[]'
  if (items.every((item) => typeof item === 'object' && item !== null))
    return `[${items.map((item) => node(item, depth)).join(', ')}]`
  return `[\n${items.map((item) => `${indent(depth + 1)}${node(item, depth + 1)},\n`).join('')}${indent(depth)}]`
}

const indent = (depth: number): string => '  '.repeat(depth)

/** Names of fields are quoted only where they must be. */
const key = (name: string): string => (isPlain(name) ? name : `"${[...name].map(keyLetter).join('')}"`)

const isPlain = (name: string): boolean =>
  /^[\p{L}\p{N}_](?:[\p{L}\p{N}_./-]*[\p{L}\p{N}_])?$/u.test(name) && !isAmbiguous(name)

/** A text in quotes; one of several lines has each on a line of its own, in line with each other. */
function quoted(text: string, depth: number): string {
  if (!text.includes('\n')) return `"${[...text].map(letter).join('')}"`
  const lines = text.split('\n')
  const ended = lines.at(-1) === ''
  const shown = (ended ? lines.slice(0, -1) : lines).map((line, i, all) => {
    const end = i < all.length - 1 || ended ? '\\n' : ''
    // A space before a line is not part of it; one that is has to say so.
    const start = /^[\t\v\f\r \u0085\u00a0\p{Z}]/u.test(line) ? '\\' : ' '
    return `${indent(depth)}${start}${[...line].map(letter).join('')}${end}\\\n`
  })
  return `"\\\n${shown.join('')}${indent(depth)}"`
}

const named: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\r': '\\r',
  '\v': '\\v',
  '\0': '\\0',
  '\u001b': '\\e',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
}

const keyLetter = (one: string): string => (one === '\n' ? '\\n' : one === '\t' ? '\\t' : letter(one))

/** A letter inside quotes. */
function letter(one: string): string {
  const known = named[one]
  if (known) return known
  if (one === '\t' || /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(one)) return one
  const code = one.codePointAt(0) ?? 0
  const hex = (digits: number) => code.toString(16).padStart(digits, '0')
  return code < 0x20 || code === 0x7f ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`
}
