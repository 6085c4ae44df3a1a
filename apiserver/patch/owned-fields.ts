import { emptySet, type FieldSet, isEmpty, makeNode, memberNode, rootOf } from './field-set.ts'
import { fieldElement, type PathElement } from './path-element.ts'
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

/** Every field that an object mentions: what applying it would own. Throws TypeFault. */
export const fieldsOf = (type: Type, object: unknown): FieldSet => rootOf(nodeOf(type, object, false))

/** `member`: whoever holds the value counts it as a field, whatever is in it. */
function nodeOf(type: Type, value: unknown, member: boolean): FieldSet | undefined {
  const form = formOf(type, value)
  if (form === 'scalar') return memberNode
  if (form === 'map') {
    const map = type.map as MapType
    return map.atomic ? memberNode : makeNode(member, fieldsBelow(map, asMap(value)))
  }
  const list = type.list as ListType
  return list.atomic ? memberNode : makeNode(member, itemsBelow(list, asList(value) ?? []))
}

function fieldsBelow(type: MapType, map: Record<string, unknown> | undefined): Record<PathElement, FieldSet> {
  const found: Record<PathElement, FieldSet> = {}
  for (const name in map) {
    const value = map[name]
    const its = fieldType(type, name)
    if (value === undefined || !its) continue
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    const isBare = value === null || (isObject && isEmptyObject(value as Record<string, unknown>))
    const field = type.fields.get(name)
    const node = nodeOf(its, value, isBare || !field)
    if (node) found[field?.element ?? fieldElement(name)] = node
  }
  return found
}

function itemsBelow(type: ListType, items: readonly unknown[]): Record<PathElement, FieldSet> {
  const found: Record<PathElement, FieldSet> = {}
  const seen = new Set<PathElement>()
  for (const item of items) {
    const element = itemElement(type, item)
    // Of several items of one key only the key can be owned.
    if (seen.has(element)) found[element] = memberNode
    else found[element] = nodeOf(type.item, item, true) as FieldSet
    seen.add(element)
  }
  return found
}

/**
 * The set with every declared field that has something of the set below it. Sets name a struct only where somebody
 * owns it as such; to take a struct away when its last field goes, it must be named.
 */
export const withStructs = (set: FieldSet, type: Type): FieldSet => rootOf(namedNode(set, type))

function namedNode(node: FieldSet, type: Type | undefined): FieldSet {
  if (isEmpty(node)) return node
  const found: Record<PathElement, FieldSet> = {}
  for (const element in node) {
    if (element === '.') continue
    const kind = element.charCodeAt(0)
    const map = kind === fieldKind ? type?.map : undefined
    const name = element.slice(2)
    const field = map?.fields.get(name)
    const below = namedNode(node[element] as FieldSet, map ? fieldType(map, name) : type?.list?.item)
    found[element] = field ? (makeNode(true, below) as FieldSet) : below
  }
  return makeNode(node['.'] !== undefined, found) ?? emptySet
}

const fieldKind = 0x66

/**
 * A set written under an older schema, as it reads under this one: what has become atomic is owned whole. Returns the
 * set itself if nothing changed.
 */
export const reconcile = (set: FieldSet, type: Type): FieldSet => rootOf(reconciledNode(set, type, true))

function reconciledNode(node: FieldSet, type: Type, isRoot = false): FieldSet {
  if (isEmpty(node)) return node
  if (type.map) {
    if (type.map.deduced) return node
    if (type.map.atomic && !isRoot) return memberNode
  } else if (type.list?.atomic) return memberNode
  else if (!type.list) return node
  let changed: Record<PathElement, FieldSet> | undefined
  for (const element in node) {
    if (element === '.') continue
    const child = node[element] as FieldSet
    const its = type.map ? fieldType(type.map, element.slice(2)) : type.list?.item
    const now = its ? reconciledNode(child, its) : child
    if (now === child) continue
    changed ??= { ...node }
    changed[element] = now
  }
  return changed ?? node
}
