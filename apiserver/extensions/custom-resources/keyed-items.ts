import type { JSONSchemaProps } from '../../../api/generated/types.ts'

/** The item of an old list that has the same keys as a given one; undefined: there is none. */
export type Counterparts = (item: unknown) => unknown

/** Of lists whose items have no keys, none has a counterpart. */
export function counterpartsIn(old: unknown, schema: JSONSchemaProps | undefined): Counterparts {
  if (schema?.['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return () => undefined
  const names = schema['x-kubernetes-list-map-keys'] ?? []
  let known: Map<string, unknown> | undefined
  return (item) => {
    // Looked up, not looked for: lists are as long as a request can be.
    known ??= new Map(old.map((each): [string, unknown] => [keyTextOf(each, names), each]).reverse())
    return known.get(keyTextOf(item, names))
  }
}

const keyTextOf = (item: unknown, names: readonly string[]): string => JSON.stringify(keysOf(item, names))

/** The keys of an item with their values. */
export const keysOf = (item: unknown, names: readonly string[]): object =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = fieldOf(item, name)
      return value === undefined ? [] : [[name, value]]
    }),
  )

/** A field of what may be no object. */
export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
