import protobuf from 'protobufjs/minimal.js'
import type { Schema } from '../../api/machinery/schema.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { fieldNumbers } from '../../api/schema/field-numbers.ts'

/**
 * Reads upstream's protobuf form of a built-in object, as stock clients send it, into the JSON form. What the schema
 * says of a field decides how its bytes are read; the field numbers are a table of facts.
 */

const magic = Buffer.from('k8s\0')

/** The content type that stock clients give such bodies. */
export const protobufType = 'application/vnd.kubernetes.protobuf'

/**
 * A body in upstream's envelope as a JSON value, with its apiVersion and kind. Throws an Error for what is not well
 * formed, or of a type that has no such form.
 */
export function decodeProtobuf(schema: Schema, body: Buffer): Record<string, unknown> {
  if (body.length < magic.length || magic.compare(body, 0, magic.length) !== 0) {
    throw new Error('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  }
  const reader = protobuf.Reader.create(body.subarray(magic.length))
  let apiVersion = ''
  let kind = ''
  let raw: Uint8Array = new Uint8Array()
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) {
      const meta = messageReader(reader)
      while (meta.pos < meta.len) {
        const inner = meta.uint32()
        if (inner >>> 3 === 1) apiVersion = meta.string()
        else if (inner >>> 3 === 2) kind = meta.string()
        else meta.skipType(inner & 7)
      }
    } else if (tag >>> 3 === 2) raw = reader.bytes()
    else reader.skipType(tag & 7)
  }
  const object = decodeMessage(schema, protobuf.Reader.create(raw)) ?? {}
  return { ...(apiVersion ? { apiVersion } : {}), ...(kind ? { kind } : {}), ...object }
}

/** One field of a message: a field of the JSON form, or a message whose fields JSON shows as this one's own. */
interface WireField {
  name: string
  schema: Schema
  /** Zero means zero; without it, zero means that nobody set it. */
  tellsZero: boolean
  inside: Map<number, WireField> | undefined
}

type Message = Map<number, WireField>
type Target = Record<string, unknown>

const messages = new WeakMap<Schema, Message>()
let table: Map<string, string[]> | undefined

function messageOf(schema: Schema): Message {
  const known = messages.get(schema)
  if (known) return known
  const name = shortName(schema.name ?? '')
  table ??= parseTable()
  const fields = table.get(name)
  if (!fields) throw new Error(`${schema.name ?? 'this type'} has no protobuf form; send JSON`)
  const message: Message = new Map()
  messages.set(schema, message)
  for (const field of fields) {
    const equals = field.lastIndexOf('=')
    const property = field.slice(0, equals)
    const tellsZero = field.endsWith('*')
    const path = field
      .slice(equals + 1, tellsZero ? -1 : undefined)
      .split('.')
      .map(Number)
    const fieldSchema = schema.properties?.get(property)
    if (fieldSchema) place(message, path, { name: property, schema: fieldSchema, tellsZero, inside: undefined })
  }
  return message
}

function place(message: Message, path: readonly number[], field: WireField): void {
  const [number = 0, ...rest] = path
  if (rest.length === 0) {
    message.set(number, field)
    return
  }
  const carrier = message.get(number) ?? { name: '', schema: { type: 'object' }, tellsZero: false, inside: new Map() }
  message.set(number, carrier)
  place(carrier.inside as Message, rest, field)
}

function decodeMessage(schema: Schema, reader: protobuf.Reader): Target {
  const target: Target = {}
  fill(target, messageOf(schema), reader)
  return target
}

function fill(target: Target, message: Message, reader: protobuf.Reader): void {
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    const field = message.get(tag >>> 3)
    if (!field) reader.skipType(tag & 7)
    else if (field.inside) fill(target, field.inside, messageReader(reader))
    else readField(target, field, reader, tag & 7)
  }
}

function readField(target: Target, field: WireField, reader: protobuf.Reader, wire: number): void {
  const { name, schema, tellsZero } = field
  switch (schema.type) {
    case 'array': {
      const list = (target[name] as unknown[] | undefined) ?? []
      target[name] = list
      const items = schema.items as Schema
      // Numbers may come packed.
      if (wire === 2 && (items.type === 'integer' || items.type === 'boolean')) {
        const packed = messageReader(reader)
        while (packed.pos < packed.len) list.push(readValue(items, packed, name))
      } else list.push(readValue(items, reader, name))
      return
    }
    case 'map': {
      const map = (target[name] as Target | undefined) ?? {}
      target[name] = map
      readEntry(map, schema.values as Schema, messageReader(reader), name)
      return
    }
    default: {
      const value = readValue(schema, reader, name)
      if (value === undefined || (!tellsZero && isZero(schema, value))) return
      target[name] = value
    }
  }
}

/** An amount is written only where somebody set it, and so is free-form JSON: `default: false` says something. */
function isZero(schema: Schema, value: unknown): boolean {
  return schema.type !== 'quantity' && schema.type !== 'any' && (value === '' || value === 0 || value === false)
}

function readEntry(map: Target, values: Schema, entry: protobuf.Reader, name: string): void {
  let key = ''
  let value: unknown
  while (entry.pos < entry.len) {
    const tag = entry.uint32()
    if (tag >>> 3 === 1) key = entry.string()
    else if (tag >>> 3 === 2)
      value = values.type === 'array' ? readWrappedList(values, entry) : readValue(values, entry, name)
    else entry.skipType(tag & 7)
  }
  value ??= values.type === 'string' || values.type === 'bytes' ? '' : values.type === 'array' ? [] : undefined
  if (value === undefined) return
  Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true })
}

/** A map cannot hold lists: upstream wraps them in a message of one field. */
function readWrappedList(schema: Schema, reader: protobuf.Reader): unknown[] {
  const list: unknown[] = []
  const wrapper = messageReader(reader)
  while (wrapper.pos < wrapper.len) {
    const tag = wrapper.uint32()
    if (tag >>> 3 === 1) list.push(readValue(schema.items as Schema, wrapper, ''))
    else wrapper.skipType(tag & 7)
  }
  return list
}

function readValue(schema: Schema, reader: protobuf.Reader, name: string): unknown {
  switch (schema.type) {
    case 'string':
      return reader.string()
    case 'integer':
      return integer(reader)
    case 'boolean':
      return reader.bool()
    case 'number':
      return reader.double()
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64')
    case 'object':
      return decodeMessage(schema, messageReader(reader))
    case 'quantity':
      return readParts(reader, { 1: (part) => part.string() })[1] ?? '0'
    case 'time':
    case 'microTime':
      return time(reader, schema.type)
    case 'intOrString': {
      const parts = readParts(reader, { 1: integer, 2: integer, 3: (part) => part.string() })
      return parts[1] === 1 ? (parts[3] ?? '') : (parts[2] ?? 0)
    }
    case 'any':
      return readAny(reader, name)
    default:
      throw new Error(`a ${schema.type} cannot stand in ${name}`)
  }
}

function integer(reader: protobuf.Reader): number {
  const value = reader.int64() as unknown as number | { toNumber(): number }
  return typeof value === 'number' ? value : value.toNumber()
}

type Parts = Record<number, unknown>

function readParts(reader: protobuf.Reader, readers: Record<number, (part: protobuf.Reader) => unknown>): Parts {
  const message = messageReader(reader)
  const parts: Parts = {}
  while (message.pos < message.len) {
    const tag = message.uint32()
    const read = readers[tag >>> 3]
    if (read) parts[tag >>> 3] = read(message)
    else message.skipType(tag & 7)
  }
  return parts
}

function time(reader: protobuf.Reader, type: 'time' | 'microTime'): string | undefined {
  const { 1: seconds, 2: nanos = 0 } = readParts(reader, { 1: integer, 2: integer }) as { 1?: number; 2?: number }
  // An empty message is the zero time: nobody set it.
  if (seconds === undefined) return undefined
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) throw new Error(`${seconds} seconds are beyond all dates`)
  const whole = date.toISOString().slice(0, 19)
  return type === 'time' ? `${whole}Z` : `${whole}.${String(Math.trunc(nanos / 1000)).padStart(6, '0')}Z`
}

/** Free-form JSON lies as text in a message of its own; the schema of a custom resource has unions beside. */
function readAny(reader: protobuf.Reader, name: string): unknown {
  const start = reader.pos
  switch (name) {
    case 'items': {
      const union = readUnion(reader)
      return union.first ?? union.list
    }
    case 'additionalProperties':
    case 'additionalItems': {
      const parts = readParts(reader, { 1: (part) => part.bool(), 2: (part) => jsonSchema(part) })
      return parts[2] ?? parts[1] ?? false
    }
    case 'dependencies': {
      const parts: { schema?: unknown; list: string[] } = { list: [] }
      readParts(reader, {
        1: (part) => {
          parts.schema = jsonSchema(part)
        },
        2: (part) => parts.list.push(part.string()),
      })
      return parts.schema ?? parts.list
    }
    default: {
      const raw = readParts(reader, { 1: (part) => part.bytes() })[1] as Uint8Array | undefined
      if (!raw || raw.length === 0) return start === reader.pos ? undefined : null
      return JSON.parse(Buffer.from(raw).toString()) as unknown
    }
  }
}

function readUnion(reader: protobuf.Reader): { first: unknown; list: unknown[] } {
  const union: { first: unknown; list: unknown[] } = { first: undefined, list: [] }
  readParts(reader, {
    1: (part) => {
      union.first = jsonSchema(part)
    },
    2: (part) => union.list.push(jsonSchema(part)),
  })
  return union
}

function jsonSchema(reader: protobuf.Reader): Target {
  const type = builtinSchema('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  return decodeMessage(type, messageReader(reader))
}

function messageReader(reader: protobuf.Reader): protobuf.Reader {
  return protobuf.Reader.create(reader.bytes())
}

function parseTable(): Map<string, string[]> {
  const types = new Map<string, string[]>()
  let fields: string[] = []
  for (const line of fieldNumbers.split('\n')) {
    const words = line
      .trim()
      .split(' ')
      .filter((word) => word !== '')
    if (words.length === 0) continue
    // Continuation lines are indented deeper.
    if (!line.startsWith('    ')) {
      fields = []
      types.set(words.shift() as string, fields)
    }
    fields.push(...words)
  }
  return types
}

function shortName(definition: string): string {
  return definition
    .replace('io.k8s.apimachinery.pkg.apis.', '')
    .replace('io.k8s.apiextensions-apiserver.pkg.apis.', '')
    .replace('io.k8s.kube-aggregator.pkg.apis.', '')
    .replace('io.k8s.apimachinery.pkg.', '')
    .replace('io.k8s.api.', '')
}
