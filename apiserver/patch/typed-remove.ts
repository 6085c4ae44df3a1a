import { setField } from '../../api/patch/json.ts'
import { below, type FieldSet, hasElement, isEmpty } from './field-set.ts'
import { fieldElement } from './path-element.ts'
import {
  asList,
  asMap,
  fieldType,
  formOf,
  isEmptyObject,
  itemElement,
  type ListType,
  type MapType,
  type Type,
} from './typed.ts'

/**
 * The object without the fields and items of a set. A map or list that loses only what is inside it stays, if empty.
 * Changes nothing of its arguments.
 */
export const removeFields = (type: Type, object: unknown, set: FieldSet): unknown =>
  isEmpty(set) ? object : (without(type, object, set) ?? {})

/** Undefined where nothing is left that was not asked to go. */
function without(type: Type, value: unknown, set: FieldSet): unknown {
  const form = formOf(type, value)
  if (form === 'scalar') return value
  if (form === 'map') {
    const type_ = type.map as MapType
    const map = asMap(value)
    return !map || isEmptyObject(map) || type_.atomic ? undefined : withoutFields(type_, map, set)
  }
  const list = asList(value)
  const type_ = type.list as ListType
  return !list || list.length === 0 || type_.atomic ? undefined : withoutItems(type_, list, set)
}

function withoutFields(type: MapType, map: Record<string, unknown>, set: FieldSet): unknown {
  const kept: Record<string, unknown> = {}
  for (const name in map) {
    const element = type.fields.get(name)?.element ?? fieldElement(name)
    if (hasElement(set, element)) continue
    const inside = below(set, element)
    const its = fieldType(type, name)
    setField(kept, name, inside && its ? (without(its, map[name], inside) ?? emptied(map[name])) : map[name])
  }
  return kept
}

function withoutItems(type: ListType, list: readonly unknown[], set: FieldSet): unknown {
  const kept: unknown[] = []
  for (const item of list) {
    const element = itemElement(type, item)
    if (hasElement(set, element)) continue
    const inside = below(set, element)
    kept.push(inside ? (without(type.item, item, inside) ?? emptied(item)) : item)
  }
  return kept
}

/** The shell of what was a map or a list. */
const emptied = (value: unknown): unknown =>
  Array.isArray(value) ? [] : typeof value === 'object' && value !== null ? {} : null
