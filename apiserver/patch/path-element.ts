/**
 * One step of a field path, in the form FieldsV1 has it: `f:name`, `k:{"name":"x"}` (an item of a list by its keys),
 * `v:"x"` (an item of a set) or `i:3`. One step has one spelling here, so steps are compared as strings.
 */
export type PathElement = string

export const fieldElement = (name: string): PathElement => `f:${name}`

/** The item of a set. */
export const valueElement = (value: unknown): PathElement => `v:${encode(value)}`

/** The item of a list by its key fields, which must come sorted by name. */
export function keyElement(fields: readonly (readonly [name: string, value: unknown])[]): PathElement {
  let text = 'k:{'
  for (const [name, value] of fields) text += `${text.length > 3 ? ',' : ''}${JSON.stringify(name)}:${encode(value)}`
  return `${text}}`
}

/**
 * The one spelling of a step read from outside; undefined for a kind of step unknown here, which upstream ignores too.
 * Throws an Error for what is not a step.
 */
export function canonicalElement(raw: string): PathElement | undefined {
  if (raw.charCodeAt(1) !== colon) {
    throw new Error(raw.length < 2 ? 'key must be 2 characters long:' : `missing colon: ${raw}`)
  }
  switch (raw.charCodeAt(0)) {
    case f:
      return raw
    case k:
    case v:
      return details(raw).canonical
    case i: {
      if (!/^[+-]?\d+$/.test(raw.slice(2))) throw new Error(`strconv.Atoi: parsing ${JSON.stringify(raw.slice(2))}`)
      return `i:${Number(raw.slice(2))}`
    }
    default:
      return undefined
  }
}

/** Upstream's order: fields, then keys, then values, then indices, each by what it holds. */
export function compareElements(left: PathElement, right: PathElement): number {
  if (left === right) return 0
  const kind = left.charCodeAt(0)
  const byKind = rank(kind) - rank(right.charCodeAt(0))
  if (byKind !== 0) return byKind
  if (kind === f) return left < right ? -1 : 1
  if (kind === i) return Number(left.slice(2)) - Number(right.slice(2))
  const a = details(left).fields
  const b = details(right).fields
  for (let n = 0; n < a.length && n < b.length; n++) {
    const [nameA, valueA] = a[n] as Field
    const [nameB, valueB] = b[n] as Field
    if (nameA !== nameB) return nameA < nameB ? -1 : 1
    const order = compareScalars(valueA, valueB)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** A step as messages show it: `.name`, `[name="x"]`, `[="x"]`, `[3]`. */
export function printElement(element: PathElement): string {
  switch (element.charCodeAt(0)) {
    case f:
      return `.${element.slice(2)}`
    case k:
      return `[${details(element)
        .fields.map(([name, value]) => `${name}=${printValue(value)}`)
        .join(',')}]`
    case v:
      return `[=${printValue(JSON.parse(element.slice(2)))}]`
    default:
      return `[${element.slice(2)}]`
  }
}

type Field = readonly [name: string, value: unknown]
interface Details {
  canonical: PathElement
  /** The value of a `v:` counts as one field without a name. */
  fields: readonly Field[]
}

const [f, i, k, v, colon] = [0x66, 0x69, 0x6b, 0x76, 0x3a]
const rank = (kind: number) => (kind === f ? 0 : kind === k ? 1 : kind === v ? 2 : 3)

// The same few items are seen in every write of an object; parsing them each time would cost more than the rest.
const known = new Map<string, Details>()
const maxKnown = 10_000

function details(element: string): Details {
  const found = known.get(element)
  if (found) return found
  const parsed: unknown = JSON.parse(element.slice(2))
  let made: Details
  if (element.charCodeAt(0) === v) made = { canonical: valueElement(parsed), fields: [['', parsed]] }
  else {
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error(`bad key: ${element}`)
    const fields = Object.entries(parsed).sort(([a], [b]) => (a < b ? -1 : 1))
    made = { canonical: keyElement(fields), fields }
  }
  if (known.size >= maxKnown) known.clear()
  known.set(element, made)
  return made
}

const unusual = /[<>&\u2028\u2029\b\f]/g

/** JSON with the escapes upstream's encoder adds. */
function encode(value: unknown): string {
  const text = JSON.stringify(value)
  if (typeof value !== 'string') return text
  // The two short escapes that upstream's encoder does not know.
  const long = text.includes('\\') ? text.replace(/\\(\\|b|f)/g, (all, c) => shortEscapes[c] ?? all) : text
  return long.replace(unusual, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
const shortEscapes: Record<string, string> = { b: '\\u0008', f: '\\u000c' }

const typeRank = (value: unknown) =>
  typeof value === 'number' ? 0 : typeof value === 'string' ? 1 : typeof value === 'boolean' ? 2 : 3

function compareScalars(left: unknown, right: unknown): number {
  if (left === right) return 0
  const byType = typeRank(left) - typeRank(right)
  if (byType !== 0) return byType
  if (typeof left === 'number') return left - (right as number)
  if (typeof left === 'boolean') return left ? 1 : -1
  const [a, b] = typeof left === 'string' ? [left, right as string] : [JSON.stringify(left), JSON.stringify(right)]
  return a < b ? -1 : a > b ? 1 : 0
}

function printValue(value: unknown): string {
  return value === null ? 'null' : typeof value === 'string' ? JSON.stringify(value) : String(value)
}
