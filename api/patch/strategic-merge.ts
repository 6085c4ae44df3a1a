import { badRequestError, type StatusError } from '../machinery/errors.ts'
import type { Schema } from '../machinery/schema.ts'
import { goType, printGo } from './go-format.ts'
import { isObject, type JsonObject, ownField, setField } from './json.ts'
import { rejectedPatch, unclassifiedError } from './patch-error.ts'
import { mergeOrder, orderBy } from './strategic-order.ts'

const directive = '$patch'
const retainKeys = '$retainKeys'
const deletePrefix = '$deleteFromPrimitiveList'
const orderPrefix = '$setElementOrder'

/**
 * A strategic merge patch, as upstream's server applies it: lists with a merge key are merged item by item, `$patch`,
 * `$retainKeys`, `$setElementOrder/x` and `$deleteFromPrimitiveList/x` are obeyed. Shares parts with its arguments and
 * changes neither. Throws 422 for lists of lists, and 400 for directives in a wrong form and whatever else does not fit.
 */
export function strategicMergePatch(original: JsonObject, patch: unknown, schema: Schema): JsonObject {
  if (!isObject(patch)) throw badRequestError('invalid JSON document')
  return mergeMaps(original, patch, schema)
}

function mergeMaps(original: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
  const marker = ownField(patch, directive)
  if (marker !== undefined) {
    if (marker === 'delete') return {}
    if (marker !== 'replace')
      throw unclassifiedError(`unknown patch type: ${printGo(marker)} in map: ${printGo(patch)}`)
    const { [directive]: _, ...replacement } = patch
    return replacement
  }
  const merged = { ...original }
  const rest = Object.keys(patch)
  const done = new Set<string>([retainKeys])
  if (retainKeys in patch) clearOthers(merged, patch)
  for (const name of rest) if (name.startsWith(orderPrefix)) mergeOrdered(merged, patch, name, schema, done)
  for (const name of rest) if (!done.has(name)) mergeField(merged, name, patch[name], schema)
  return merged
}

function mergeField(merged: JsonObject, name: string, change: unknown, schema: Schema | undefined): void {
  const deleting = name.startsWith(deletePrefix)
  const field = deleting ? fieldOf(name, deletePrefix, 'invalid patch format of primitive list') : name
  if (change === null) {
    delete merged[field]
    return
  }
  const old = ownField(merged, field)
  if (goKind(old) !== goKind(change)) {
    if (!deleting) set(merged, field, brandNew(change))
    return
  }
  if (isObject(old)) {
    const { type, strategy } = lookUp(schema, field)
    set(merged, field, strategy === 'replace' ? change : mergeMaps(old, change as JsonObject, type))
  } else if (Array.isArray(old)) {
    const { type, strategy, mergeKey } = lookUpList(schema, field)
    const list = change as unknown[]
    set(merged, field, strategy === 'merge' || deleting ? mergeLists(old, list, type, mergeKey, deleting) : list)
  } else set(merged, field, change)
}

/** `$retainKeys`: whatever the patch does not list goes. */
function clearOthers(merged: JsonObject, patch: JsonObject): void {
  const list = patch[retainKeys]
  if (!Array.isArray(list)) throw badDirective('retainKeys')
  const kept = new Set<unknown>(list)
  for (const [name, value] of Object.entries(patch)) {
    const isDirective = name === retainKeys || name.startsWith(deletePrefix) || name.startsWith(orderPrefix)
    if (value !== null && !isDirective && !kept.has(name)) throw badDirective('retainKeys')
  }
  for (const name of Object.keys(merged)) if (!kept.has(name)) delete merged[name]
}

/** `$setElementOrder/x`: merges list x here and puts it into the order given; items it does not name keep their place. */
function mergeOrdered(
  merged: JsonObject,
  patch: JsonObject,
  name: string,
  schema: Schema | undefined,
  done: Set<string>,
): void {
  done.add(name)
  const order = patch[name]
  if (!Array.isArray(order)) throw wrongType([], order)
  const field = fieldOf(name, orderPrefix, 'invalid patch format of setElementOrder list')
  const old = ownField(merged, field)
  const change = ownField(patch, field)
  if (old !== undefined && !Array.isArray(old)) throw wrongType([], old)
  if (change !== undefined && !Array.isArray(change)) throw wrongType([], change)
  const { type, strategy, mergeKey } = lookUpList(schema, field)
  checkOrder(change ?? [], order, mergeKey)
  if (old === undefined && change === undefined) return
  const list =
    old === undefined
      ? (brandNew(change) as unknown[])
      : change === undefined
        ? old
        : strategy === 'merge'
          ? mergeLists(old, change, type, mergeKey, false)
          : change
  elementKind(old ?? [], change ?? [])
  set(merged, field, arrange(list, order, old ?? [], mergeKey))
  done.add(field)
}

/** The items of the patch must be among those of the order, and stand in that order. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (patch.length === 0 || order.length === 0) return
  let next = 0
  for (const item of patch) {
    if (mergeKey !== '' && isObject(item) && directive in item) continue
    while (next < order.length && !sameKey(item, order[next], mergeKey)) next++
    if (next++ >= order.length) {
      throw unclassifiedError(
        `The order in patch list:\n${printGo(patch)}\n doesn't match ${orderPrefix} list:\n${printGo(order)}\n`,
      )
    }
  }
}

function mergeLists(
  original: readonly unknown[],
  patch: readonly unknown[],
  type: Schema | undefined,
  mergeKey: string,
  deleting: boolean,
): unknown[] {
  if (original.length === 0 && patch.length === 0) return []
  if (elementKind(original, patch) !== 'map') {
    if (deleting) {
      const gone = new Set(patch)
      return original.filter((item) => !gone.has(item))
    }
    return arrange([...new Set([...original, ...patch])], patch, original, mergeKey)
  }
  if (mergeKey === '') {
    throw unclassifiedError(`cannot merge lists without merge key for ${type?.type === 'map' ? 'map' : 'struct'}`)
  }
  const { kept, changes } = obeyMarkers(original as JsonObject[], patch as JsonObject[], mergeKey)
  const list = [...kept]
  for (const change of changes) {
    const value = keyOf(change, mergeKey)
    const at = list.findIndex((item) => ownField(item, mergeKey) === value)
    if (at < 0) list.push(change)
    else list[at] = mergeMaps(list[at] as JsonObject, change, type)
  }
  return arrange(list, changes, kept, mergeKey)
}

/** Items that carry `$patch`: delete takes the items of that key away, replace everything that was there. */
function obeyMarkers(original: readonly JsonObject[], patch: readonly JsonObject[], mergeKey: string) {
  let kept = original
  let replacing = false
  const changes: JsonObject[] = []
  for (const item of patch) {
    const marker = ownField(item, directive)
    if (marker === undefined) changes.push(item)
    else if (marker === 'delete') {
      const value = keyOf(item, mergeKey)
      kept = kept.filter((candidate) => ownField(candidate, mergeKey) !== value)
    } else if (marker === 'replace') replacing = true
    else if (marker === 'merge') throw unclassifiedError('merging lists cannot yet be specified in the patch')
    else throw unclassifiedError(`unknown patch type: ${printGo(marker)} in map: ${printGo(item)}`)
  }
  return replacing ? { kept: changes, changes: [] } : { kept, changes }
}

/** Items named in `order` in that order, the others in the server's, interleaved as the server had them. */
function arrange(
  list: readonly unknown[],
  order: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const key = mergeKey === '' ? (item: unknown) => item : (item: unknown) => keyOf(item, mergeKey)
  const wanted = new Set(order.map(key))
  const named = orderBy(
    list.filter((item) => wanted.has(key(item))),
    order,
    key,
  )
  const others = orderBy(
    list.filter((item) => !wanted.has(key(item))),
    serverOrder,
    key,
  )
  return mergeOrder(others, named, serverOrder, key)
}

/** A value that was not there before: without nulls, and without anything that carries a `$patch`. */
function brandNew(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(brandNew).filter((item) => item !== undefined)
  if (!isObject(value)) return value
  if (directive in value) return undefined
  const kept: JsonObject = {}
  for (const name of Object.keys(value)) if (value[name] !== null) set(kept, name, brandNew(value[name]))
  return kept
}

function set(target: JsonObject, name: string, value: unknown): void {
  if (value === undefined) delete target[name]
  else setField(target, name, value)
}

function lookUp(schema: Schema | undefined, field: string): { type: Schema; strategy: string; mergeKey: string } {
  if (schema && schema.type !== 'object' && schema.type !== 'any') {
    throw unclassifiedError(`merging an object in json but data type is not struct, instead is: ${goTypeOf(schema)}`)
  }
  const type = schema?.properties?.get(field)
  if (!type) {
    const name = schema?.name?.slice(schema.name.lastIndexOf('.') + 1) ?? ''
    throw unclassifiedError(`unable to find api field in struct ${name} for the json field ${JSON.stringify(field)}`)
  }
  const strategy = (type.patchStrategy ?? '').split(',').find((each) => each !== 'retainKeys') ?? ''
  return { type, strategy, mergeKey: type.patchMergeKey ?? '' }
}

function lookUpList(schema: Schema | undefined, field: string) {
  const found = lookUp(schema, field)
  if (found.type.type !== 'array') throw unclassifiedError('expected slice or array type, but got: struct')
  return { ...found, type: found.type.items }
}

const goTypeOf = ({ type }: Schema) => (type === 'map' ? 'map' : type === 'array' ? 'slice' : type)

function fieldOf(name: string, prefix: string, complaint: string): string {
  if (name[prefix.length] !== '/') throw badRequestError(complaint)
  return name.slice(prefix.length + 1)
}

function keyOf(item: unknown, mergeKey: string): unknown {
  if (!isObject(item)) throw wrongType({}, item)
  const value = ownField(item, mergeKey)
  if (value === undefined) {
    throw unclassifiedError(`map: ${printGo(item)} does not contain declared merge key: ${mergeKey}`)
  }
  return value
}

const sameKey = (left: unknown, right: unknown, mergeKey: string) =>
  mergeKey === '' ? left === right : keyOf(left, mergeKey) === keyOf(right, mergeKey)

type Kind = 'absent' | 'map' | 'slice' | 'string' | 'number' | 'boolean' | 'null'

function goKind(value: unknown): Kind {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'slice' : typeof value === 'object' ? 'map' : (typeof value as Kind)
}

/** What all items of both lists are. Throws if they differ, or are lists themselves. */
function elementKind(first: readonly unknown[], second: readonly unknown[]): Kind {
  let kind: Kind | undefined
  for (const list of [first, second]) {
    for (const item of list) {
      const its = goKind(item)
      kind ??= its
      if (its === 'slice') throw rejectedPatch('lists of lists are not supported')
      if (its !== kind) {
        throw unclassifiedError(`list element types are not identical: [${printGo(first)} ${printGo(second)}]`)
      }
    }
  }
  if (!kind) throw unclassifiedError('no elements in any of the given slices')
  return kind
}

const badDirective = (which: string): StatusError => badRequestError(`invalid patch format of ${which}`)

const wrongType = (expected: unknown, actual: unknown): StatusError =>
  unclassifiedError(`expected a ${goType(expected)}, but received a ${goType(actual)}`)
