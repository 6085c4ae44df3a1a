import { isDeepStrictEqual } from 'node:util'
import type { Schema } from '../../api/machinery/schema.ts'

type JsonObject = Record<string, unknown>

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The patch that brings `current` to what `modified` says and takes away what `original` said and `modified` no longer
 * does; whatever else is in `current` stays. With a schema a strategic merge patch, without one a JSON merge patch.
 * An empty object where there is nothing to do.
 */
export function threeWayPatch(
  original: JsonObject | undefined,
  modified: JsonObject,
  current: JsonObject,
  schema?: Schema,
): JsonObject {
  const patch: JsonObject = {}
  for (const [name, wanted] of Object.entries(modified)) {
    const there = current[name]
    const field = fieldSchema(schema, name)
    if (wanted === null || wanted === undefined) {
      if (there !== undefined && there !== null) patch[name] = null
    } else if (there === undefined || there === null) patch[name] = wanted
    else if (isObject(wanted) && isObject(there)) {
      const inner = objectPatch(isObject(original?.[name]) ? original[name] : undefined, wanted, there, field)
      if (inner) patch[name] = inner
    } else if (Array.isArray(wanted) && Array.isArray(there) && mergesItems(field)) {
      const before = original?.[name]
      Object.assign(patch, listPatch(name, Array.isArray(before) ? before : [], wanted, there, field as Schema))
    } else if (!isDeepStrictEqual(wanted, there)) patch[name] = wanted
  }
  for (const name of Object.keys(original ?? {}))
    if (!(name in modified) && current[name] !== undefined) patch[name] = null
  return patch
}

/** What is known of a field. */
export const fieldSchema = (schema: Schema | undefined, name: string): Schema | undefined =>
  schema?.properties?.get(name) ?? schema?.values

const strategies = (schema: Schema | undefined): readonly string[] => schema?.patchStrategy?.split(',') ?? []
/** Whether a list is merged item by item. */
export const mergesItems = (schema: Schema | undefined): boolean => strategies(schema).includes('merge')

/** The patch of an object within the object; undefined where there is nothing to do. */
function objectPatch(
  original: JsonObject | undefined,
  modified: JsonObject,
  current: JsonObject,
  schema: Schema | undefined,
): JsonObject | undefined {
  if (strategies(schema).includes('replace'))
    return isDeepStrictEqual(modified, current) ? undefined : { $patch: 'replace', ...modified }
  const patch = threeWayPatch(original, modified, current, schema)
  if (Object.keys(patch).length === 0) return undefined
  // A union: what belongs to the branch that is left goes with it.
  return strategies(schema).includes('retainKeys') ? { ...patch, $retainKeys: Object.keys(modified).sort() } : patch
}

/** The fields of a patch that change a list whose items are merged. */
function listPatch(
  name: string,
  original: readonly unknown[],
  modified: readonly unknown[],
  current: readonly unknown[],
  schema: Schema,
): JsonObject {
  const key = schema.patchMergeKey
  if (!key || ![...modified, ...current, ...original].every(isObject))
    return primitivesPatch(name, original, modified, current)
  const lists = [original, modified, current] as readonly (readonly JsonObject[])[]
  const [before, wanted, there] = lists.map((list) => new Map(list.map((item) => [item[key], item])))
  // Without keys that tell the items apart there is nothing to merge them by.
  if (wanted!.has(undefined) || wanted!.size < modified.length || there!.size < current.length)
    return isDeepStrictEqual(modified, current) ? {} : { [name]: [{ $patch: 'replace' }, ...modified] }
  const changes: JsonObject[] = []
  for (const [id, item] of wanted!) {
    const standing = there!.get(id)
    if (!standing) changes.push(item)
    else {
      const inner = itemPatch(before!.get(id), item, standing, schema)
      if (inner) changes.push({ ...inner, [key]: id })
    }
  }
  for (const id of before!.keys()) if (!wanted!.has(id) && there!.has(id)) changes.push({ $patch: 'delete', [key]: id })
  const order = [...wanted!.keys()]
  const orderThere = [...there!.keys()].filter((id) => wanted!.has(id))
  if (changes.length === 0 && isDeepStrictEqual(order, orderThere)) return {}
  return {
    [`$setElementOrder/${name}`]: order.map((id) => ({ [key]: id })),
    ...(changes.length > 0 ? { [name]: changes } : {}),
  }
}

function itemPatch(original: JsonObject | undefined, modified: JsonObject, current: JsonObject, list: Schema) {
  const patch = threeWayPatch(original, modified, current, list.items)
  if (Object.keys(patch).length === 0) return undefined
  return strategies(list).includes('retainKeys') ? { ...patch, $retainKeys: Object.keys(modified).sort() } : patch
}

/** A set of strings, such as finalizers. */
function primitivesPatch(
  name: string,
  original: readonly unknown[],
  modified: readonly unknown[],
  current: readonly unknown[],
): JsonObject {
  const added = modified.filter((item) => !current.includes(item))
  const removed = original.filter((item) => !modified.includes(item) && current.includes(item))
  const moved = !isDeepStrictEqual(
    modified,
    current.filter((item) => modified.includes(item)),
  )
  if (added.length === 0 && removed.length === 0 && !moved) return {}
  return {
    [`$setElementOrder/${name}`]: modified,
    ...(added.length > 0 ? { [name]: added } : {}),
    ...(removed.length > 0 ? { [`$deleteFromPrimitiveList/${name}`]: removed } : {}),
  }
}
