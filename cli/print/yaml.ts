import { isAmbiguous } from './ambiguous.ts'
import { inNaturalOrder } from './natural-order.ts'
import { escaped, isPrintable } from './yaml-escapes.ts'

/** Behind this column a text is broken at its next space. */
const bestWidth = 80

/** An object as YAML, to the letter as kubectl shows it: in which order, in which quotes, and where long texts are broken. */
export const toYaml = (value: unknown): string => `${node(value, 0, 0)}\n`

type Fields = Readonly<Record<string, unknown>>

/** What begins at a column, in a field or an item whose own lines are indented by `depth`. */
function node(value: unknown, depth: number, column: number): string {
  if (typeof value === 'string') return text(value, { depth: depth === 0 && column === 0 ? 0 : depth + 2, column })
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return value.length === 0 ? '[]' : items(value, depth)
  return fields(value as Fields, depth)
}

const items = (list: readonly unknown[], depth: number): string =>
  list.map((item) => `- ${inItem(item, depth)}`).join(`\n${' '.repeat(depth)}`)

/** Objects and lists of an item are indented by its dash; texts of several lines as in a field. */
const inItem = (item: unknown, depth: number): string =>
  typeof item === 'object' ? node(item, depth + 2, depth + 2) : node(item, depth, depth + 2)

function fields(object: Fields, depth: number): string {
  const names = Object.keys(object).filter((name) => object[name] !== undefined)
  if (names.length === 0) return '{}'
  return names
    .sort(inNaturalOrder)
    .map((name) => field(name, object[name], depth))
    .join(`\n${' '.repeat(depth)}`)
}

function field(name: string, value: unknown, depth: number): string {
  const key = text(name, { depth, column: depth, isKey: true })
  if (isFilled(value)) {
    const inner = Array.isArray(value) ? depth : depth + 2
    return `${key}:\n${' '.repeat(inner)}${node(value, inner, inner)}`
  }
  return `${key}: ${node(value, depth, depth + [...key].length + 2)}`
}

const isFilled = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).some((one) => one !== undefined)

interface Place {
  /** By how much further lines are indented. */
  depth: number
  column: number
  /** Keys stay on one line. */
  isKey?: boolean
}

function text(value: string, place: Place): string {
  const { plain, single, block } = formsOf(value)
  if (value.includes('\n') && block && !place.isKey) return literal(value, place.depth)
  if (!value.includes('\n')) {
    if (plain && !isTaken(value)) return folded(value, place, (letter) => letter)
    if (single && !isTaken(value))
      return `'${folded(value, ahead(place), (letter) => (letter === "'" ? "''" : letter))}'`
  }
  return `"${folded(value, ahead(place), escaped, true)}"`
}

/** Here fewer words stand for something else than in KYAML. */
const isTaken = (value: string): boolean =>
  isAmbiguous(value) && !/^(?:_+|[tf]|[+-]?(?:inf|infinity|nan))$/i.test(value)

const ahead = (place: Place): Place => ({ ...place, column: place.column + 1 })

/** In which forms a text means the same. */
function formsOf(value: string): { plain: boolean; single: boolean; block: boolean } {
  const isStrange = ![...value].every(isPrintable) || / [\n\r\u0085\u2028\u2029]/.test(value)
  const isIndicated =
    /^(?:---|\.\.\.)/.test(value) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(value) ||
    /^[?:-](?=\s|$)/.test(value) ||
    /:(?=\s|$)/.test(value) ||
    /\s#/.test(value)
  return {
    plain: value !== '' && !isStrange && !isIndicated && !/^ | $/.test(value),
    single: !isStrange,
    block: !isStrange && !value.endsWith(' '),
  }
}

/** Breaks a text at single spaces behind the best width. In double quotes a space that follows a break has to say so. */
function folded(
  value: string,
  { depth, column: start, isKey }: Place,
  shown: (letter: string) => string,
  isDouble = false,
) {
  const letters = [...value]
  let column = start
  let result = ''
  let isAfterSpace = false
  for (const [i, letter] of letters.entries()) {
    const isInside = i > 0 && i < letters.length - 1
    const mayBreak = letter === ' ' && isInside && !isKey && !isAfterSpace && column > bestWidth
    const isBeforeSpace = letters[i + 1] === ' '
    isAfterSpace = letter === ' '
    if (mayBreak && (isDouble || !isBeforeSpace)) {
      const next = isBeforeSpace ? '\\' : ''
      result += `\n${' '.repeat(depth)}${next}`
      column = depth + next.length
      continue
    }
    const written = shown(letter)
    result += written
    column += [...written].length
  }
  return result
}

/** Lines as they are, below a `|` that says what is kept at the end. */
function literal(value: string, depth: number): string {
  const indentation = /^[ \n]/.test(value) ? '2' : ''
  const chomping = !value.endsWith('\n') ? '-' : /^\n$|\n\n$/.test(value) ? '+' : ''
  const lines = (value.endsWith('\n') ? value.slice(0, -1) : value).split('\n')
  const shown = lines.map((line) => (line === '' ? '' : ' '.repeat(depth) + line))
  return [`|${indentation}${chomping}`, ...shown].join('\n')
}
