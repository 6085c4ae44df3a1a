import { CliError } from '../errors.ts'
import { sorted } from './documents.ts'

/** A step of a path from values to values. */
type Step = (values: unknown[], root: unknown) => unknown[]

/** A piece of a template. */
type Part =
  | { type: 'text'; text: string }
  | { type: 'path'; steps: Step[] }
  | { type: 'range'; steps: Step[]; body: Part[] }

export interface Template {
  /** What the template makes of an object. Throws a CliError where a field is missing and must not be. */
  print(object: unknown): string
}

/** kubectl's JSONPath templates: `{.metadata.name}`, `{range .items[*]}{.metadata.name}{"\n"}{end}`. */
export function parseTemplate(text: string, { allowMissing = true } = {}): Template {
  const { parts } = new TemplateParser(relaxed(text), allowMissing).parse()
  return { print: (object) => printParts(parts, object, object) }
}

/** All values a single path finds: `.spec.containers[*].image`, with or without braces. */
export function findPath(path: string, { allowMissing = true } = {}): (object: unknown) => unknown[] {
  const inner = path.trim().replace(/^\{(.*)\}$/s, '$1')
  const steps = new PathParser(/^[.[$@]/.test(inner) ? inner : `.${inner}`, allowMissing).parse()
  return (object) => walk(steps, [object], object)
}

/** `metadata.name` and `.metadata.name` are taken for `{.metadata.name}`. */
function relaxed(text: string): string {
  if (text.includes('{')) return text
  return `{${text.startsWith('.') || text.startsWith('[') || text.startsWith('$') ? text : `.${text}`}}`
}

function printParts(parts: readonly Part[], current: unknown, root: unknown): string {
  return parts
    .map((part) => {
      if (part.type === 'text') return part.text
      const values = walk(part.steps, [current], root)
      if (part.type === 'path') return values.map(printValue).join(' ')
      return values.map((value) => printParts(part.body, value, root)).join('')
    })
    .join('')
}

export const printValue = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(sorted(value)) : String(value)

const walk = (steps: readonly Step[], values: unknown[], root: unknown): unknown[] =>
  steps.reduce((found, step) => step(found, root), values)

class TemplateParser {
  readonly #text: string
  readonly #allowMissing: boolean
  #at = 0

  constructor(text: string, allowMissing: boolean) {
    this.#text = text
    this.#allowMissing = allowMissing
  }

  parse(inRange = false): { parts: Part[] } {
    const parts: Part[] = []
    while (this.#at < this.#text.length) {
      const open = this.#text.indexOf('{', this.#at)
      if (open !== this.#at) {
        parts.push({ type: 'text', text: this.#text.slice(this.#at, open < 0 ? undefined : open) })
        this.#at = open < 0 ? this.#text.length : open
        continue
      }
      const body = this.#braces()
      if (body === 'end') {
        if (!inRange) throw broken('not in range, nothing to end')
        return { parts }
      }
      const range = /^range(?![\w-])\s*(.*)$/s.exec(body)
      if (range) parts.push({ type: 'range', steps: this.#path(range[1] as string), body: this.parse(true).parts })
      else if (/^["']/.test(body)) parts.push({ type: 'text', text: unquote(body) })
      else parts.push({ type: 'path', steps: this.#path(body) })
    }
    if (inRange) throw broken('unclosed range: end it with {end}')
    return { parts }
  }

  #path(text: string): Step[] {
    return new PathParser(text.trim(), this.#allowMissing).parse()
  }

  /** What stands between the brace here and the one that closes it. */
  #braces(): string {
    let quote = ''
    for (let i = this.#at + 1; i < this.#text.length; i++) {
      const letter = this.#text[i] as string
      if (quote) {
        if (letter === '\\') i++
        else if (letter === quote) quote = ''
      } else if (letter === '"' || letter === "'") quote = letter
      else if (letter === '}') {
        const body = this.#text.slice(this.#at + 1, i).trim()
        this.#at = i + 1
        return body
      }
    }
    throw broken('unclosed action: a { without its }')
  }
}

class PathParser {
  readonly #text: string
  readonly #allowMissing: boolean
  #at = 0

  constructor(text: string, allowMissing: boolean) {
    this.#text = text
    this.#allowMissing = allowMissing
  }

  parse(): Step[] {
    const steps: Step[] = []
    while (this.#at < this.#text.length) {
      const rest = this.#text.slice(this.#at)
      if (rest.startsWith('$')) {
        this.#at++
        steps.push((_, root) => [root])
      } else if (rest.startsWith('@')) this.#at++
      else if (rest.startsWith('..')) {
        this.#at += 2
        const name = this.#name()
        steps.push((values) => values.flatMap((value) => everyBelow(value, name)))
      } else if (rest.startsWith('[')) steps.push(this.#bracket())
      else if (rest.startsWith('.')) {
        this.#at++
        const name = this.#name()
        if (name === '*') steps.push(everyItem)
        else if (name !== '') steps.push(this.#field(name))
      } else throw broken(`unrecognized character in path: ${rest}`)
    }
    return steps
  }

  /** Up to the next dot or bracket; a backslash keeps the letter after it. */
  #name(): string {
    const match = /^(?:[^.[\]\\\s]|\\.)*/s.exec(this.#text.slice(this.#at)) as RegExpExecArray
    this.#at += match[0].length
    if (match[0] === '' && this.#at < this.#text.length && !/[.[]/.test(this.#text[this.#at] as string))
      throw broken(`unrecognized character in path: ${this.#text.slice(this.#at)}`)
    return match[0].replace(/\\(.)/gs, '$1')
  }

  #field(name: string): Step {
    return (values) =>
      values.flatMap((value) => {
        if (typeof value === 'object' && value !== null && Object.hasOwn(value, name))
          return [(value as Record<string, unknown>)[name]]
        if (!this.#allowMissing) throw new CliError(`error executing jsonpath: ${name} is not found`)
        return []
      })
  }

  #bracket(): Step {
    const end = closingBracket(this.#text, this.#at)
    const body = this.#text.slice(this.#at + 1, end).trim()
    this.#at = end + 1
    if (body === '*') return everyItem
    const filter = /^\?\s*\((.*)\)$/s.exec(body)
    if (filter) return filterStep(filter[1] as string)
    if (/^["']/.test(body)) {
      const names = Array.from(body.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g), ([whole]) => unquote(whole))
      const fields = names.map((name) => this.#field(name))
      return (values, root) => fields.flatMap((field) => field(values, root))
    }
    if (/^-?\d+(\s*,\s*-?\d+)*$/.test(body)) {
      const indexes = body.split(',').map(Number)
      return (values) => values.flatMap((list) => indexes.flatMap((index) => itemAt(list, index, this.#allowMissing)))
    }
    const slice = /^(-?\d*)?:(-?\d*)?(?::(\d+))?$/.exec(body)
    if (slice) return sliceStep(slice[1], slice[2], slice[3])
    const name = body.replace(/\\(.)/gs, '$1')
    return this.#field(name)
  }
}

const everyItem: Step = (values) =>
  values.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))

function everyBelow(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const here = name === '' ? [value] : Object.hasOwn(value, name) ? [(value as Record<string, unknown>)[name]] : []
  return [...here, ...Object.values(value).flatMap((below) => everyBelow(below, name))]
}

function itemAt(list: unknown, index: number, allowMissing: boolean): unknown[] {
  if (!Array.isArray(list)) return []
  const at = index < 0 ? list.length + index : index
  if (at >= 0 && at < list.length) return [list[at]]
  if (allowMissing) return []
  throw new CliError(`error executing jsonpath: array index out of bounds: index ${index}, length ${list.length}`)
}

function sliceStep(from = '', to = '', by = ''): Step {
  return (values) =>
    values.flatMap((list) => {
      if (!Array.isArray(list)) return []
      const step = Number(by) || 1
      return list
        .slice(from === '' ? 0 : Number(from), to === '' ? undefined : Number(to))
        .filter((_, i) => i % step === 0)
    })
}

const comparisons: Record<string, (a: unknown, b: unknown) => boolean> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => (a as number) < (b as number),
  '<=': (a, b) => (a as number) <= (b as number),
  '>': (a, b) => (a as number) > (b as number),
  '>=': (a, b) => (a as number) >= (b as number),
}

/** `@.status == "True"`, or a path alone: whatever has it. */
function filterStep(text: string): Step {
  const match = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/s.exec(text)
  if (!match) {
    const steps = new PathParser(text.trim(), true).parse()
    return (values, root) => itemsOf(values).filter((item) => walk(steps, [item], root).length > 0)
  }
  const [, left = '', operator = '', right = ''] = match
  const compare = comparisons[operator] as (a: unknown, b: unknown) => boolean
  const [a, b] = [operand(left.trim()), operand(right.trim())]
  return (values, root) =>
    itemsOf(values).filter((item) => {
      const [one, other] = [a(item, root), b(item, root)]
      return one.length > 0 && other.length > 0 && compare(one[0], other[0])
    })
}

const itemsOf = (values: unknown[]): unknown[] => values.flatMap((value) => (Array.isArray(value) ? value : []))

function operand(text: string): (item: unknown, root: unknown) => unknown[] {
  if (/^["']/.test(text)) {
    const literal = unquote(text)
    return () => [literal]
  }
  if (/^-?\d+(\.\d+)?$/.test(text)) return () => [Number(text)]
  if (text === 'true' || text === 'false') return () => [text === 'true']
  const steps = new PathParser(text, true).parse()
  return (item, root) => walk(steps, [item], root)
}

function closingBracket(text: string, from: number): number {
  let depth = 0
  let quote = ''
  for (let i = from; i < text.length; i++) {
    const letter = text[i] as string
    if (quote) {
      if (letter === '\\') i++
      else if (letter === quote) quote = ''
    } else if (letter === '"' || letter === "'") quote = letter
    else if (letter === '[') depth++
    else if (letter === ']' && --depth === 0) return i
  }
  throw broken('unterminated array: a [ without its ]')
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r' }

function unquote(text: string): string {
  const quote = text[0] as string
  if (text.length < 2 || !text.endsWith(quote)) throw broken(`unterminated quoted string: ${text}`)
  return text.slice(1, -1).replace(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter)
}

const broken = (why: string) => new CliError(`error parsing jsonpath: ${why}`)
