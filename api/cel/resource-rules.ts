import type { Environment } from '@marcbachmann/cel-js'
import { asSchema } from '../apiextensions/schema-walk.ts'
import type { JSONSchemaProps } from '../generated/types.ts'
import { compile, newEnvironment } from './compile.ts'
import { addFormat } from './format.ts'
import { addLists } from './lists.ts'
import { celValue } from './values.ts'

let shared: Environment | undefined

function environment(): Environment {
  if (shared) return shared
  shared = newEnvironment()
  addLists(shared)
  addFormat(shared)
  for (const name of ['self', 'oldSelf']) shared.registerVariable(name, 'dyn')
  return shared
}

/** A rule of a custom resource, ready to run: throws what cannot be evaluated. */
export type RuleProgram = (variables: Record<string, unknown>) => unknown

/** An expression of `x-kubernetes-validations`, or what is wrong with it. A message comes to a text, a rule to a truth. */
export function compileRule(expression: string, result: 'bool' | 'string'): { run: RuleProgram } | { fault: string } {
  const bounds = { results: [result], maxCost: Number.POSITIVE_INFINITY, maxSize: 1 }
  return compile(environment(), expression, bounds)
}

let asOptional: { of: (variables: { value: unknown }) => unknown; none: () => unknown } | undefined

/** A value that may be there or not, as the engine has those; undefined: it is not. */
export function optionalValue(value: unknown): unknown {
  if (!asOptional) {
    const engine = newEnvironment().registerVariable('value', 'dyn')
    asOptional = { of: engine.parse('optional.of(value)'), none: engine.parse('optional.none()') }
  }
  return value === undefined ? asOptional.none() : asOptional.of({ value })
}

/** A value as rules see it, by its schema: whole numbers of a type that has fractions stay fractions, times are times. */
export function ruleValue(value: unknown, schema: JSONSchemaProps | undefined): unknown {
  if (value === null || value === undefined || !schema) return celValue(value)
  if (Array.isArray(value)) {
    const items = asSchema(schema.items)
    return value.map((item) => ruleValue(item, items))
  }
  if (typeof value === 'object') return structValue(value as Record<string, unknown>, schema)
  if (typeof value === 'number') return schema.type === 'number' ? value : celValue(value)
  if (typeof value === 'string') return textValue(value, schema)
  return value
}

function structValue(value: Record<string, unknown>, schema: JSONSchemaProps): unknown {
  const others = asSchema(schema.additionalProperties)
  const seen: Record<string, unknown> = Object.create(null)
  for (const [name, field] of Object.entries(value)) {
    const property = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    // Keys of a map are what they are; fields have names that expressions can say.
    const shown = schema.properties ? escapeName(name) : name
    seen[shown] = ruleValue(field, property ?? others)
  }
  return seen
}

function textValue(value: string, { format }: JSONSchemaProps): unknown {
  switch (format) {
    case 'date':
    case 'date-time':
    case 'datetime': {
      const time = new Date(value)
      return Number.isNaN(time.getTime()) ? value : time
    }
    case 'duration':
      return durationOf(value) ?? value
    default:
      return value
  }
}

let asDuration: ((variables: { text: string }) => unknown) | undefined

/** The engine's own kind of a length of time; undefined where the text is none. */
function durationOf(text: string): unknown {
  if (!/^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  asDuration ??= newEnvironment().registerVariable('text', 'string').parse('duration(text)')
  return asDuration({ text })
}

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

/** The name of a field in expressions: `x-y` is `x__dash__y`, as upstream writes it. */
function escapeName(name: string): string {
  if (reserved.has(name)) return `__${name}__`
  if (!/__|[.\-/]/.test(name)) return name
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__')
}
