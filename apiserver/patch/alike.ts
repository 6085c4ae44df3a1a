import { isObject, type JsonObject, ownField } from '../../api/patch/json.ts'
import { sameJson } from '../registry/json.ts'
import type { FieldSet } from './field-set.ts'
import { formOf, type ListType, type MapType, type Type } from './typed.ts'

/** What decides which fields a new object has: its form, without the values that make no difference. */
type Shape =
  /** Nothing there. */
  | typeof absent
  /** One field, whatever its value. */
  | typeof leaf
  /** One field, which counts unless the value is what a struct that omits it holds. */
  | { zero: boolean }
  | { names: readonly string[]; parts: readonly Shape[] }
  | { items: readonly (readonly unknown[])[]; parts: readonly Shape[] }

const absent = 'absent'
const leaf = 'leaf'

interface Known {
  shape: Shape
  /** What the set was made with besides; another one needs another set. */
  under: unknown
  set: FieldSet
}

/** Kept of each type. Objects made side by side come from a few templates. */
const keptShapes = 16
const kept = new WeakMap<Type, Known[]>()

/**
 * The fields of a new object. Controllers make many objects of one template, which have the same fields: their set is
 * worked out once, by `make`, and then found by comparing forms, which costs a tenth. `under` is what else `make` depends on.
 */
export function fieldsOfNew(type: Type, object: object, under: unknown, make: () => FieldSet): FieldSet {
  let known = kept.get(type)
  if (!known) {
    known = []
    kept.set(type, known)
  }
  const at = known.findIndex((one) => one.under === under && fits(one.shape, type, object))
  const found = known[at]
  if (found) {
    if (at > 0) {
      known.splice(at, 1)
      known.unshift(found)
    }
    return found.set
  }
  const set = make()
  known.unshift({ shape: shapeOf(type, object), under, set })
  if (known.length > keptShapes) known.pop()
  return set
}

function shapeOf(type: Type, value: unknown, zero?: unknown): Shape {
  const inner = innerOf(type, value)
  if (value === undefined) return absent
  if (inner === undefined) return zero === undefined ? leaf : { zero: sameJson(value, zero) }
  if (inner.list) {
    const { list, items } = inner
    return { items: items.map((item) => keysOf(list, item)), parts: items.map((item) => shapeOf(list.item, item)) }
  }
  const { map, fields } = inner
  const names = Object.keys(fields)
  const parts = names.map((name) => {
    const field = map.fields.get(name)
    const below = field?.type ?? map.values
    return below ? shapeOf(below, fields[name], field?.zero) : leaf
  })
  return { names, parts }
}

function fits(shape: Shape, type: Type, value: unknown, zero?: unknown): boolean {
  if (shape === absent || value === undefined) return shape === absent && value === undefined
  const inner = innerOf(type, value)
  if (inner === undefined) return shape === leaf || ('zero' in shape && shape.zero === sameJson(value, zero))
  if (shape === leaf) return false
  if (inner.list) {
    if (!('items' in shape) || shape.items.length !== inner.items.length) return false
    const { list, items } = inner
    return items.every(
      (item, i) => sameKeys(list, item, shape.items[i] ?? []) && fits(shape.parts[i] ?? leaf, list.item, item),
    )
  }
  if (!('names' in shape)) return false
  const { map, fields } = inner
  let n = 0
  for (const name in fields) {
    if (shape.names[n] !== name) return false
    const field = map.fields.get(name)
    const below = field?.type ?? map.values
    if (below && !fits(shape.parts[n] ?? leaf, below, fields[name], field?.zero)) return false
    n++
  }
  return n === shape.names.length
}

type Inner =
  | { list: ListType; items: readonly unknown[] }
  | { list?: never; map: MapType; fields: Record<string, unknown> }

/** What has fields of its own: neither scalars, nor what is owned whole, nor what is empty. */
function innerOf(type: Type, value: unknown): Inner | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const form = formOf(type, value)
  if (form === 'list') {
    const list = type.list as ListType
    return list.atomic || !Array.isArray(value) || value.length === 0 ? undefined : { list, items: value }
  }
  if (form === 'scalar' || Array.isArray(value)) return undefined
  const map = type.map as MapType
  if (map.atomic) return undefined
  for (const _ in value) return { map, fields: value as Record<string, unknown> }
  return undefined
}

/** What an item is addressed by. */
const keysOf = ({ sortedKeys }: ListType, item: unknown): unknown[] =>
  sortedKeys ? sortedKeys.map(({ name }) => ownField(item as JsonObject, name)) : [item]

function sameKeys({ sortedKeys }: ListType, item: unknown, keys: readonly unknown[]): boolean {
  if (!sortedKeys) return item === keys[0]
  if (!isObject(item)) return false
  for (let n = 0; n < sortedKeys.length; n++) if (ownField(item, sortedKeys[n]?.name ?? '') !== keys[n]) return false
  return true
}
