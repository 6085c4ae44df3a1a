import { shown, sprint, sprintf, sprintln } from './format.ts'

/** A function of a template that cannot do what it is asked to; the evaluator knows where. */
export class Refused extends Error {}

type Values = readonly unknown[]

/** Where a text is made of whatever there is. */
const textOf = (values: Values): string =>
  values.length === 1 && typeof values[0] === 'string' ? values[0] : sprint(values)

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

/** Whether `{{if}}` takes a value for true: nothing that is empty, zero or missing. */
export function isTrue(value: unknown): boolean {
  if (value === null || value === undefined) return false
  if (isNumber(value)) return Number(value) !== 0
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0
  return typeof value === 'object' ? Object.keys(value).length > 0 : value === true
}

function index(of: unknown, keys: Values): unknown {
  return keys.reduce<unknown>((value, key) => {
    if (value === null || value === undefined) throw new Refused('index of untyped nil')
    if (Array.isArray(value) || typeof value === 'string') {
      if (!isNumber(key)) throw new Refused(`cannot index a list with ${describe(key)}: write a number`)
      const at = Number(key)
      if (!Number.isInteger(at) || at < 0 || at >= value.length)
        throw new Refused(`index out of range: ${shown(key)}, and there are ${value.length}`)
      return typeof value === 'string' ? BigInt(value.charCodeAt(at)) : value[at]
    }
    if (typeof value !== 'object') throw new Refused(`cannot index ${describe(value)}`)
    if (typeof key !== 'string')
      throw new Refused(`cannot index an object with ${describe(key)}: write a name in quotes`)
    return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
  }, of)
}

function slice([of, ...ends]: Values): unknown {
  if (typeof of !== 'string' && !Array.isArray(of)) throw new Refused(`cannot slice ${describe(of)}`)
  const [from = 0, to = of.length] = ends.map((end) => {
    if (!isNumber(end)) throw new Refused(`cannot slice with ${describe(end)}: write numbers`)
    if (Number(end) < 0 || Number(end) > of.length)
      throw new Refused(`index out of range: ${shown(end)}, and there are ${of.length}`)
    return Number(end)
  })
  if (from > to) throw new Refused(`invalid slice index: ${from} > ${to}`)
  return of.slice(from, to)
}

/** What a value is, in a message. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return isNumber(value) ? `the number ${shown(value)}` : `the ${typeof value} ${JSON.stringify(value)}`
}

function same(one: unknown, other: unknown): boolean {
  for (const value of [one, other])
    if (typeof value === 'object' && value !== null) throw new Refused(`${describe(value)} cannot be compared`)
  // Go compares no whole number with another kind of number; nobody means that.
  if (isNumber(one) && isNumber(other)) return Number(one) === Number(other)
  if (one === null || one === undefined || other === null || other === undefined)
    return (one ?? undefined) === (other ?? undefined)
  if (typeof one !== typeof other)
    throw new Refused(`incompatible types for comparison: ${describe(one)} and ${describe(other)}`)
  return one === other
}

function isLess(one: unknown, other: unknown): boolean {
  if (isNumber(one) && isNumber(other)) return Number(one) < Number(other)
  if (typeof one === 'string' && typeof other === 'string') return one < other
  throw new Refused(`incompatible types for comparison: ${describe(one)} and ${describe(other)}`)
}

const htmlLetters: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\uFFFD',
}
const jsLetters: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
}

const decoded = (text: unknown): string => {
  if (typeof text !== 'string') throw new Refused(`base64decode takes a text, not ${describe(text)}`)
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text.replace(/[\r\n]/g, '')))
    throw new Refused(`base64 decode failed: ${JSON.stringify(text)} is no base64`)
  return Buffer.from(text, 'base64').toString()
}

interface Function {
  /** How many arguments it takes at least, and at most. */
  takes: readonly [number, number]
  call(args: Values): unknown
}

const many = Number.POSITIVE_INFINITY

/** Go's functions, and those that kubectl adds. `and` and `or` are the evaluator's: they may leave arguments unread. */
const functions: Readonly<Record<string, Function>> = {
  not: { takes: [1, 1], call: ([value]) => !isTrue(value) },
  len: {
    takes: [1, 1],
    call([of]) {
      if (typeof of === 'string') return BigInt(Buffer.byteLength(of))
      if (typeof of === 'object' && of !== null) return BigInt(Array.isArray(of) ? of.length : Object.keys(of).length)
      throw new Refused(`len of ${describe(of)}`)
    },
  },
  index: { takes: [1, many], call: ([of, ...keys]) => index(of, keys) },
  slice: { takes: [1, 4], call: slice },
  print: { takes: [0, many], call: sprint },
  println: { takes: [0, many], call: sprintln },
  printf: {
    takes: [1, many],
    call([format, ...values]) {
      if (typeof format !== 'string') throw new Refused(`printf begins with a text, not ${describe(format)}`)
      return sprintf(format, values)
    },
  },
  html: { takes: [1, many], call: (values) => textOf(values).replace(/["'&<>\0]/g, (one) => htmlLetters[one] ?? one) },
  js: {
    takes: [1, many],
    call: (values) =>
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      textOf(values).replace(/[\\'"<>&=\u0000-\u001f]/g, (one) => {
        const code = one.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
        return jsLetters[one] ?? `\\u${code}`
      }),
  },
  urlquery: {
    takes: [1, many],
    call: (values) =>
      encodeURIComponent(textOf(values))
        .replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
        .replaceAll('%20', '+'),
  },
  eq: { takes: [2, many], call: ([one, ...others]) => others.some((other) => same(one, other)) },
  ne: { takes: [2, 2], call: ([one, other]) => !same(one, other) },
  lt: { takes: [2, 2], call: ([one, other]) => isLess(one, other) },
  le: { takes: [2, 2], call: ([one, other]) => isLess(one, other) || same(one, other) },
  gt: { takes: [2, 2], call: ([one, other]) => isLess(other, one) },
  ge: { takes: [2, 2], call: ([one, other]) => isLess(other, one) || same(one, other) },
  base64decode: { takes: [1, 1], call: ([text]) => decoded(text) },
  exists: {
    takes: [1, many],
    call([of, ...keys]) {
      try {
        return index(of, keys) !== undefined
      } catch (error) {
        if (error instanceof Refused) return false
        throw error
      }
    },
  },
}

/** What a template may call. */
export const functionNames: ReadonlySet<string> = new Set([...Object.keys(functions), 'and', 'or'])

/** Calls a function. Throws a Refused that says why it cannot. */
export function callFunction(name: string, args: Values): unknown {
  const found = functions[name] as Function
  const [least, most] = found.takes
  if (args.length < least || args.length > most)
    throw new Refused(
      `wrong number of args for ${name}: want ${least === most ? least : most === many ? `at least ${least}` : `${least} to ${most}`} got ${args.length}`,
    )
  return found.call(args)
}
