/** A step of a path from values to values. */
type Step = (values: unknown[], root: unknown) => unknown[]

/** The path is not well formed, or leads to a field that is not there and must be. */
export class PathFault extends Error {}

/** What a path finds, from a value and the object that `$` stands for. */
export type Find = (value: unknown, root: unknown) => unknown[]

/** Reads one JSONPath as kubectl has it: `.spec.containers[*].image`. Throws {@link PathFault}; so may what it returns. */
export function parsePath(text: string, { allowMissing = true } = {}): Find {
  const steps = new PathParser(text, allowMissing).parse()
  return (value, root) => walk(steps, [value], root)
}

/** All values a single path finds, with or without braces. Throws {@link PathFault}. */
export function findPath(path: string, { allowMissing = true } = {}): (object: unknown) => unknown[] {
  const inner = path.trim().replace(/^\{(.*)\}$/s, '$1')
  const find = parsePath(/^[.[$@]/.test(inner) ? inner : `.${inner}`, { allowMissing })
  return (object) => find(object, object)
}

const walk = (steps: readonly Step[], values: unknown[], root: unknown): unknown[] =>
  steps.reduce((found, step) => step(found, root), values)

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
        if (!this.#allowMissing) throw new PathFault(`error executing jsonpath: ${name} is not found`)
        return []
      })
  }

  #bracket(): Step {
    const end = closingSign(this.#text, this.#at, '[', ']')
    if (end < 0) throw broken('unterminated array: a [ without its ]')
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
  throw new PathFault(`error executing jsonpath: array index out of bounds: index ${index}, length ${list.length}`)
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

/** Where what opens at `from` is closed, signs in quotes aside; -1: nowhere. */
export function closingSign(text: string, from: number, open: string, close: string): number {
  let depth = 0
  let quote = ''
  for (let i = from; i < text.length; i++) {
    const letter = text[i] as string
    if (quote) {
      if (letter === '\\') i++
      else if (letter === quote) quote = ''
    } else if (letter === '"' || letter === "'") quote = letter
    else if (letter === open) depth++
    else if (letter === close && --depth === 0) return i
  }
  return -1
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r' }

/** A quoted text, without its quotes and backslashes. */
export function unquote(text: string): string {
  const quote = text[0] as string
  if (text.length < 2 || !text.endsWith(quote)) throw broken(`unterminated quoted string: ${text}`)
  return text.slice(1, -1).replace(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter)
}

/** A fault of a path or template that cannot be read. */
export const broken = (why: string) => new PathFault(`error parsing jsonpath: ${why}`)
