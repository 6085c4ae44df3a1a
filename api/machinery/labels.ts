import type { LabelSelector } from '../generated/types.ts'
import { child, type FieldError, forbidden, index, invalid, required } from './field-errors.ts'
import { isQualifiedName, isValidLabelValue } from './names.ts'

export type Labels = Readonly<Record<string, string>>
export type LabelMatcher = (labels: Labels) => boolean

type Operator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'

interface Requirement {
  key: string
  operator: Operator
  values: string[]
}

/** A selector string (`a=b,c in (d,e),!f`) as a test. Throws an Error in upstream's words. */
export function compileSelector(text: string): LabelMatcher {
  return matcherOf(parseSelector(text))
}

/** The requirements of a selector string, by upstream's grammar. Throws an Error. */
export function parseSelector(text: string): Requirement[] {
  return new SelectorParser(text).parse()
}

/** Whether labels satisfy a LabelSelector object; an empty one selects everything. */
export function labelSelectorMatches(selector: LabelSelector, labels: Labels): boolean {
  return labelSelectorMatcher(selector)(labels)
}

/** A LabelSelector object as a test. */
export function labelSelectorMatcher({ matchLabels = {}, matchExpressions = [] }: LabelSelector): LabelMatcher {
  return matcherOf([
    ...Object.entries(matchLabels).map(([key, value]): Requirement => ({ key, operator: 'In', values: [value] })),
    ...matchExpressions.map(
      ({ key, operator, values = [] }): Requirement => ({
        key,
        operator: operator as Operator,
        values,
      }),
    ),
  ])
}

function matcherOf(requirements: readonly Requirement[]): LabelMatcher {
  const tests = requirements.map(testOf)
  const [only] = tests
  if (only && tests.length === 1) return only
  return (labels) => tests.every((test) => test(labels))
}

function testOf({ key, operator, values }: Requirement): LabelMatcher {
  const read = (labels: Labels) => (Object.hasOwn(labels, key) ? labels[key] : undefined)
  const [first = ''] = values
  switch (operator) {
    case 'In':
      if (values.length === 1) return (labels) => read(labels) === first
      return (labels) => {
        const value = read(labels)
        return value !== undefined && values.includes(value)
      }
    case 'NotIn':
      return (labels) => {
        const value = read(labels)
        return value === undefined || !values.includes(value)
      }
    case 'Exists':
      return (labels) => read(labels) !== undefined
    case 'DoesNotExist':
      return (labels) => read(labels) === undefined
    case 'Gt':
    case 'Lt': {
      const bound = BigInt(first)
      return (labels) => {
        const value = read(labels)
        if (value === undefined || !/^[+-]?\d+$/.test(value)) return false
        return operator === 'Gt' ? BigInt(value) > bound : BigInt(value) < bound
      }
    }
  }
}

/** A selector as kubectl shows it: `a=b,c in (d,e)`; `<none>` for an empty one. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  if (!selector) return '<none>'
  const text = formatSelectorString(selector)
  return text === '' ? '<none>' : text
}

/** A LabelSelector, or a plain map of labels, as a selector string that {@link parseSelector} reads. */
export function formatSelectorString(selector: unknown): string {
  if (typeof selector !== 'object' || selector === null) return ''
  const { matchLabels, matchExpressions } = selector as LabelSelector
  const isSelector = matchLabels !== undefined || matchExpressions !== undefined
  const labels = (isSelector ? (matchLabels ?? {}) : selector) as Record<string, string>
  const parts = Object.entries(labels).map(([key, value]): [string, string] => [key, `${key}=${value}`])
  for (const { key, operator, values = [] } of (isSelector ? matchExpressions : undefined) ?? []) {
    const list = [...values].sort().join(',')
    const text =
      operator === 'In'
        ? `${key} in (${list})`
        : operator === 'NotIn'
          ? `${key} notin (${list})`
          : operator === 'Exists'
            ? key
            : `!${key}`
    parts.push([key, text])
  }
  return parts
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(',')
}

/** Faults in a map of labels. */
export function validateLabels(labels: Labels | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const name in labels) {
    for (const message of isQualifiedName(name)) errors.push(invalid(path, name, message))
    const value = labels[name] as string
    for (const message of isValidLabelValue(value)) errors.push(invalid(path, value, message))
  }
  return errors
}

export interface LabelSelectorRules {
  allowInvalidLabelValue?: boolean
  /** An empty selector is a fault. */
  requireNonEmpty?: boolean
}

/** Faults in a LabelSelector. */
export function validateLabelSelector(
  selector: LabelSelector | undefined,
  path: string,
  { allowInvalidLabelValue = false, requireNonEmpty = false }: LabelSelectorRules = {},
): FieldError[] {
  if (!selector) return []
  const { matchLabels, matchExpressions = [] } = selector
  const errors = validateLabels(matchLabels, child(path, 'matchLabels'))
  for (const [i, { key, operator, values = [] }] of matchExpressions.entries()) {
    const at = index(child(path, 'matchExpressions'), i)
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        errors.push(required(child(at, 'values'), "must be specified when `operator` is 'In' or 'NotIn'"))
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        errors.push(
          forbidden(child(at, 'values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        )
      }
    } else {
      errors.push(invalid(child(at, 'operator'), operator, 'not a valid selector operator'))
    }
    for (const message of isQualifiedName(key ?? '')) errors.push(invalid(child(at, 'key'), key, message))
    if (allowInvalidLabelValue) continue
    for (const [j, value] of values.entries()) {
      for (const message of isValidLabelValue(value))
        errors.push(invalid(index(child(at, 'values'), j), value, message))
    }
  }
  if (
    requireNonEmpty &&
    errors.length === 0 &&
    matchExpressions.length === 0 &&
    Object.keys(matchLabels ?? {}).length === 0
  ) {
    errors.push(invalid(path, selector, 'empty selector is invalid'))
  }
  return errors
}

const binaryOperators = 'in, notin, =, ==, !=, gt, lt'
const symbols = new Set(['(', ')', ',', '!', '=', '==', '!=', '<', '>'])

/** Recursive descent over the tokens, with one token of look-ahead. */
class SelectorParser {
  readonly #tokens: string[]
  #at = 0

  constructor(text: string) {
    this.#tokens = text.match(/\(|\)|,|!=|==|=|!|<|>|[^\s(),!=<>]+/g) ?? []
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = []
    if (this.#next === '') return requirements
    for (;;) {
      if (!this.#isIdentifier(this.#next) && this.#next !== '!') {
        throw new Error(
          requirements.length > 0
            ? `found '${this.#next}', expected: identifier after ','`
            : `found '${this.#next}', expected: !, identifier, or 'end of string'`,
        )
      }
      requirements.push(this.#requirement())
      const token = this.#take()
      if (token === '') return requirements
      if (token !== ',') throw new Error(`found '${token}', expected: ',' or 'end of string'`)
    }
  }

  get #next(): string {
    return this.#tokens[this.#at] ?? ''
  }

  #take(): string {
    return this.#tokens[this.#at++] ?? ''
  }

  #isIdentifier(token: string): boolean {
    return token !== '' && !symbols.has(token)
  }

  #requirement(): Requirement {
    const negated = this.#next === '!'
    if (negated) this.#at++
    const key = this.#take()
    if (!this.#isIdentifier(key)) throw new Error(`found '${key}', expected: identifier`)
    const faults = isQualifiedName(key)
    if (faults.length > 0) throw new Error(`<nil>: Invalid value: ${JSON.stringify(key)}: ${faults.join('; ')}`)
    if (this.#next === '' || this.#next === ',') {
      return { key, operator: negated ? 'DoesNotExist' : 'Exists', values: [] }
    }
    const operator = this.#take()
    if (negated) throw new Error(`found '${operator}', expected: ',' or 'end of string'`)
    switch (operator) {
      case 'in':
      case 'notin':
        return this.#checked({ key, operator: operator === 'in' ? 'In' : 'NotIn', values: this.#list() })
      case '=':
      case '==':
        return this.#checked({ key, operator: 'In', values: [this.#value()] })
      case '!=':
        return this.#checked({ key, operator: 'NotIn', values: [this.#value()] })
      case '>':
      case '<': {
        const value = this.#value()
        if (!/^[+-]?\d+$/.test(value)) {
          throw new Error(
            `values[0]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
          )
        }
        return { key, operator: operator === '>' ? 'Gt' : 'Lt', values: [value] }
      }
      default:
        throw new Error(`found '${operator}', expected: ${binaryOperators}`)
    }
  }

  #checked(requirement: Requirement): Requirement {
    for (const [i, value] of requirement.values.entries()) {
      const faults = isValidLabelValue(value)
      if (faults.length > 0) {
        throw new Error(
          `values[${i}][${requirement.key}]: Invalid value: ${JSON.stringify(value)}: ${faults.join('; ')}`,
        )
      }
    }
    return requirement
  }

  #value(): string {
    if (this.#next === '' || this.#next === ',') return ''
    const token = this.#take()
    if (!this.#isIdentifier(token)) throw new Error(`found '${token}', expected: identifier`)
    return token
  }

  /** `(a,b)`. A missing value between commas is the empty string. */
  #list(): string[] {
    const open = this.#take()
    if (open !== '(') throw new Error(`found '${open}' expected: '('`)
    const values = new Set<string>()
    let needsValue = true
    for (;;) {
      const token = this.#take()
      if (token === ')') {
        if (needsValue) values.add('')
        return [...values].sort()
      }
      if (token === ',') {
        if (needsValue) values.add('')
        needsValue = true
      } else if (this.#isIdentifier(token) && needsValue) {
        values.add(token)
        needsValue = false
      } else {
        throw new Error(`found '${token}', expected: ',' or ')'`)
      }
    }
  }
}
