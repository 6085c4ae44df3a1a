import type { Schema } from '../../api/machinery/schema.ts'
import { isObject, type JsonObject, ownField } from '../../api/patch/json.ts'
import { fieldElement, keyElement, type PathElement, valueElement } from './path-element.ts'
import { builtinType, isValueStruct, isZeroScalar } from './zero-values.ts'

/**
 * A schema as ownership sees it: what a value of the type may be, and how it is owned. Made once for each schema. A
 * type may allow several forms (a field of any kind); the value then decides.
 */
export interface Type {
  readonly scalar?: 'numeric' | 'string' | 'boolean' | 'any'
  readonly list?: ListType
  readonly map?: MapType
}

export interface ListType {
  /** Owned whole. Otherwise item by item: by `keys`, or by value if there are none. */
  readonly atomic: boolean
  /** Key fields by name, each with what an item that omits it counts as having. As declared, for messages. */
  readonly keys?: readonly ListKey[]
  readonly sortedKeys?: readonly ListKey[]
  readonly item: Type
}

interface ListKey {
  readonly name: string
  readonly default: unknown
}

export interface MapType {
  /** Owned whole. */
  readonly atomic: boolean
  readonly fields: ReadonlyMap<string, Field>
  /** Of fields not named; absent: there may be none. */
  readonly values?: Type
  /** Nothing is known of it but that it is an object: its form is deduced from each value. */
  readonly deduced: boolean
}

export interface Field {
  readonly element: PathElement
  readonly type: Type
  /** What upstream's own form of the object holds where ours has no field; undefined: it too may have none. */
  readonly zero: unknown
}

/** The object does not fit its type. The message is upstream's, path first. */
export class TypeFault extends Error {}

const types = new WeakMap<Schema, Type>()
const noFields: ReadonlyMap<string, Field> = new Map()

export function typeOf(schema: Schema): Type {
  const known = types.get(schema)
  if (known) return known
  const type: { -readonly [K in keyof Type]: Type[K] } = {}
  // Known before its parts are: a type may hold itself.
  types.set(schema, type)
  Object.assign(type, makeType(schema))
  return type
}

const untypedAtomic: Type = (() => {
  const type: { -readonly [K in keyof Type]: Type[K] } = { scalar: 'any' }
  type.list = { atomic: true, item: type }
  type.map = { atomic: true, fields: noFields, values: type, deduced: false }
  return type
})()

/** Of a value nothing is known about: maps are owned field by field, lists whole. */
const deduced: Type = (() => {
  const type: { -readonly [K in keyof Type]: Type[K] } = { scalar: 'any' }
  type.list = { atomic: true, item: untypedAtomic }
  type.map = { atomic: false, fields: noFields, values: type, deduced: true }
  return type
})()

function makeType(schema: Schema): Type {
  switch (schema.type) {
    case 'object':
      return { map: structOf(schema) }
    case 'map':
      return {
        map: {
          atomic: schema.atomic === true,
          fields: noFields,
          values: schema.values ? typeOf(schema.values) : deduced,
          deduced: !schema.values,
        },
      }
    case 'array':
      return { list: listOf(schema) }
    case 'integer':
    case 'number':
      return { scalar: 'numeric' }
    case 'boolean':
      return { scalar: 'boolean' }
    case 'string':
      return { scalar: schema.format === undefined ? 'string' : 'any' }
    case 'bytes':
      return { scalar: 'string' }
    case 'any':
      return schema.preserveUnknownFields ? deduced : untypedAtomic
    default:
      return { scalar: 'any' }
  }
}

function structOf(schema: Schema): MapType {
  const properties = schema.properties ?? new Map<string, Schema>()
  const builtin = builtinType(schema.name)
  const fields = new Map<string, Field>()
  for (const [name, property] of properties) {
    const zero = builtin ? zeroOf(builtin, name, property, schema.required?.includes(name) ?? false) : undefined
    fields.set(name, { element: fieldElement(name), type: typeOf(property), zero })
  }
  const isOpen = schema.preserveUnknownFields === true || (fields.size === 0 && !schema.values)
  const values = schema.values ? typeOf(schema.values) : isOpen ? deduced : undefined
  return {
    atomic: schema.atomic === true,
    fields,
    ...(values ? { values } : {}),
    deduced: fields.size === 0 && values === deduced,
  }
}

const emptyStruct: JsonObject = Object.freeze({})

function zeroOf(type: string, field: string, schema: Schema, required: boolean): unknown {
  if (isValueStruct(type, field)) return emptyStruct
  if (!required && !isZeroScalar(type, field)) return undefined
  return zeroScalar(schema) ?? null
}

const zeroScalar = ({ type }: Schema): unknown =>
  type === 'string' ? '' : type === 'integer' || type === 'number' ? 0 : type === 'boolean' ? false : undefined

function listOf(schema: Schema): ListType {
  const item = schema.items ? typeOf(schema.items) : untypedAtomic
  const merges = schema.patchStrategy?.split(',').includes('merge') ?? false
  const listType = schema.listType ?? (merges ? (schema.patchMergeKey ? 'map' : 'set') : 'atomic')
  if (listType === 'atomic') return { atomic: true, item }
  if (listType === 'set') return { atomic: false, item }
  const names = schema.listMapKeys ?? (schema.patchMergeKey ? [schema.patchMergeKey] : [])
  const keys = names.map((name) => ({ name, default: keyDefault(schema.items, name) }))
  return { atomic: false, item, keys, sortedKeys: keys.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}

function keyDefault(item: Schema | undefined, name: string): unknown {
  const property = item?.properties?.get(name)
  if (!property) return undefined
  if (property.default !== undefined) return property.default
  const builtin = builtinType(item?.name)
  if (!builtin || !(item?.required?.includes(name) || isZeroScalar(builtin, name))) return undefined
  return zeroScalar(property)
}

export type Form = 'map' | 'scalar' | 'list'

/** The form a value has among those its type allows. A null takes whatever form it is asked to have. */
export function formOf(type: Type, value: unknown): Form {
  if (typeof value === 'object') {
    if (value !== null) {
      if (Array.isArray(value)) {
        if (type.list) return 'list'
      } else if (type.map) return 'map'
    }
  } else if (value !== undefined && type.scalar) return 'scalar'
  return type.map ? 'map' : type.scalar ? 'scalar' : 'list'
}

export const asMap = (value: unknown): JsonObject | undefined => (isObject(value) ? value : undefined)
export const asList = (value: unknown): readonly unknown[] | undefined => (Array.isArray(value) ? value : undefined)

export const isEmptyObject = (value: JsonObject): boolean => {
  for (const _ in value) return false
  return true
}

/** The type of a field, named or not; undefined if the type allows no such field. */
export const fieldType = (type: MapType, name: string): Type | undefined => type.fields.get(name)?.type ?? type.values

/** How an item of an owned-by-item list is addressed. Throws TypeFault if it cannot be. */
export function itemElement(type: ListType, item: unknown): PathElement {
  if (!type.keys) {
    if (Array.isArray(item)) throw new TypeFault('not supported: associative list with lists as elements')
    if (item === null) throw new TypeFault("associative list without keys has an element that's an explicit null")
    if (typeof item === 'object') throw new TypeFault("associative list without keys has an element that's a map type")
    return valueElement(item)
  }
  if (item === null) throw new TypeFault('associative list with keys may not have a null element')
  if (!isObject(item)) throw new TypeFault('associative list with keys may not have non-map elements')
  const fields: [string, unknown][] = []
  for (const key of type.sortedKeys ?? []) {
    const value = ownField(item, key.name) ?? key.default
    if (value !== undefined) fields.push([key.name, value])
  }
  if (fields.length === 0 && type.keys.length > 0) {
    const names = type.keys.map((key) => JSON.stringify(key.name)).join(' ')
    throw new TypeFault(
      `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    )
  }
  return keyElement(fields)
}
