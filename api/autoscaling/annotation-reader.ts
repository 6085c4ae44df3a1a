import type { LabelSelector, Quantity } from '../generated/types.ts'
import { canonicalQuantity, isQuantity } from '../machinery/quantity.ts'

/**
 * Readers for JSON out of an annotation, which no schema has seen. Each throws where the value is not of its type;
 * null counts as absent.
 */

/** Fields of an object, by name in any case. */
export function record(value: unknown): (name: string) => unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not an object')
  const fields = new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field ?? undefined]))
  return (name) => fields.get(name.toLowerCase())
}

export function list<T>(value: unknown, read: (item: unknown) => T): T[] {
  if (value === null) return []
  if (!Array.isArray(value)) throw new TypeError('not a list')
  return value.map(read)
}

export function text(value: unknown): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw new TypeError('not a string')
  return value
}

/** The string, or the empty one where upstream's field cannot be absent. */
export const required = (value: string | undefined): string => value ?? ''

export function optionalInteger(value: unknown): number | undefined {
  if (value !== undefined && !Number.isInteger(value)) throw new TypeError('not an integer')
  return value as number | undefined
}

export function optionalQuantity(value: unknown): Quantity | undefined {
  if (value === undefined) return undefined
  const source = typeof value === 'number' ? String(value) : value
  if (typeof source !== 'string' || !isQuantity(source)) throw new TypeError('not a quantity')
  return canonicalQuantity(source)
}

export function selector(value: unknown): LabelSelector | undefined {
  if (value === undefined) return undefined
  const field = record(value)
  const labels = field('matchLabels')
  const expressions = field('matchExpressions')
  return compact({
    matchLabels:
      labels === undefined
        ? undefined
        : Object.fromEntries(Object.entries(labels as object).map(([key, item]) => [key, required(text(item))])),
    matchExpressions:
      expressions === undefined
        ? undefined
        : list(expressions, (expression) => {
            const part = record(expression)
            const values = part('values')
            return compact({
              key: required(text(part('key'))),
              operator: required(text(part('operator'))),
              values: values === undefined ? undefined : list(values, (item) => required(text(item))),
            })
          }),
  })
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** The object without its undefined fields. */
export function compact<T extends object>(object: T): Present<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>
}
