import type { Schema } from '../../api/machinery/schema.ts'
import { cloneJson, isObject, type JsonObject } from '../../api/patch/json.ts'
import { builtinType, isValueStruct } from './zero-values.ts'

/**
 * Changes an object that has every struct which upstream's form of it always has: a JSON patch may add to
 * `/status/allocation` where there is no status yet. Those that are still empty then are taken away again.
 */
export function withEmptyStructs(
  object: JsonObject,
  schema: Schema,
  change: (object: JsonObject) => JsonObject,
): JsonObject {
  const filled = cloneJson(object) as JsonObject
  const added: string[][] = []
  fill(filled, schema, [], added)
  const changed = change(filled)
  // The deepest were added last.
  for (const path of added.reverse()) dropIfEmpty(changed, path)
  return changed
}

function fill(object: JsonObject, schema: Schema, path: readonly string[], added: string[][]): void {
  const type = builtinType(schema.name)
  if (type === undefined) return
  for (const [field, inner] of schema.properties ?? []) {
    if (!isValueStruct(type, field)) continue
    const here = [...path, field]
    if (object[field] === undefined) {
      object[field] = {}
      added.push(here)
    }
    const value = object[field]
    if (isObject(value)) fill(value, inner, here, added)
  }
}

function dropIfEmpty(object: JsonObject, [field = '', ...rest]: readonly string[]): void {
  const value = object[field]
  if (!isObject(value)) return
  if (rest.length > 0) dropIfEmpty(value, rest)
  else if (Object.keys(value).length === 0) delete object[field]
}
