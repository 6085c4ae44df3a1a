import { asSchema, propertyOf } from '../../../api/apiextensions/schema-walk.ts'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import { child, duplicate, type FieldError, index, invalid, key } from '../../../api/machinery/field-errors.ts'
import { keysOf } from './keyed-items.ts'

/** Items that stand twice in lists where each may stand once: sets, and lists told by keys. */
export function listFaults(value: unknown, schema: JSONSchemaProps | undefined, path = ''): FieldError[] {
  if (!schema || typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    const items = asSchema(schema.items)
    return [
      ...duplicates(value, schema, path),
      ...(items ? value.flatMap((item, i) => listFaults(item, items, index(path, i))) : []),
    ]
  }
  return Object.entries(value).flatMap(([name, field]) => {
    const property = propertyOf(schema, name)
    if (property) return listFaults(field, property, child(path, name))
    return listFaults(field, asSchema(schema.additionalProperties), key(path, name))
  })
}

function duplicates(list: readonly unknown[], schema: JSONSchemaProps, path: string): FieldError[] {
  switch (schema['x-kubernetes-list-type']) {
    case 'set':
      return second(list).map((i) => duplicate(index(path, i), list[i]))
    case 'map': {
      const odd = list.findIndex((item) => item !== null && (typeof item !== 'object' || Array.isArray(item)))
      if (odd >= 0) return [invalid(index(path, odd), list[odd], 'must be an object for an array of list-type map')]
      const keys = list.map((item) => keysOf(item, schema['x-kubernetes-list-map-keys'] ?? []))
      return second(keys).map((i) => duplicate(index(path, i), keys[i]))
    }
    default:
      return []
  }
}

/** Where a value comes for the second time; a third is not told. */
function second(list: readonly unknown[]): number[] {
  const seen = new Map<string, number>()
  return list.flatMap((item, i) => {
    const text = JSON.stringify(item)
    const times = seen.get(text) ?? 0
    seen.set(text, times + 1)
    return times === 1 ? [i] : []
  })
}
