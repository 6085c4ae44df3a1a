import { canonicalQuantity, quantityFault } from './quantity.ts'
import type { Schema } from './schema.ts'
import { canonicalMicroTime, canonicalTime } from './time.ts'

/** A JSON value that cannot be of its type; the message is what upstream's decoder says. */
export class DecodeError extends Error {}

export interface DecodeOptions {
  /** Whether unknown fields are reported: Strict and Warn do, Ignore drops them silently. */
  mode: 'Strict' | 'Warn' | 'Ignore'
}

export interface Decoded {
  object: Record<string, unknown>
  /** Paths of the fields that nobody knows, `spec.foo`, at most a hundred. */
  unknown: string[]
}

/** Deeper than any type of ours; custom resources with free-form fields are bounded by the parser. */
const maxDepth = 1000
const maxUnknown = 100

/**
 * Brings a JSON value into the form of its schema: types checked, unknown fields dropped and reported, nulls dropped,
 * quantities and times canonical, declared defaults filled in, and the required parts of built-in types always there,
 * empty if need be, as in upstream's own form of an object. Throws {@link DecodeError}. Shares nothing with its input
 * but free-form parts.
 */
export function decodeObject(schema: Schema, value: unknown, { mode }: DecodeOptions): Decoded {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DecodeError(`json: cannot unmarshal ${wireType(value)} into Go value of type ${goType(schema)}`)
  }
  const run: Run = { unknown: mode === 'Ignore' ? undefined : [], depth: 0 }
  if (schema.decode) {
    const object = schema.decode(value as Record<string, unknown>, run.unknown)
    return { object, unknown: run.unknown?.slice(0, maxUnknown) ?? [] }
  }
  const object = decoderOf(schema)(value, run, root) as Record<string, unknown>
  return { object, unknown: run.unknown ?? [] }
}

interface Run {
  unknown: string[] | undefined
  depth: number
}

/** Where a value lies, as a chain that costs nothing unless somebody has to be told. */
interface At {
  parent: At | undefined
  /** The type that holds the field, for Go's messages. */
  holder: string
  part: string | number
}

const root: At = { parent: undefined, holder: '', part: '' }

type Decoder = (value: unknown, run: Run, at: At) => unknown

const decoders = new WeakMap<Schema, Decoder>()

function decoderOf(schema: Schema): Decoder {
  let decoder = decoders.get(schema)
  if (!decoder) {
    decoder = build(schema)
    decoders.set(schema, decoder)
  }
  return decoder
}

function build(schema: Schema): Decoder {
  switch (schema.type) {
    case 'object':
      return schema.properties ? objectDecoder(schema) : anyDecoder
    case 'map':
      return mapDecoder(schema)
    case 'array':
      return arrayDecoder(schema)
    case 'string':
      return scalarDecoder('string', schema)
    case 'boolean':
      return scalarDecoder('boolean', schema)
    case 'number':
      return scalarDecoder('number', schema)
    case 'integer':
      return integerDecoder(schema)
    case 'quantity':
      return quantityDecoder
    case 'intOrString':
      return intOrStringDecoder
    case 'time':
      return timeDecoder(canonicalTime, '2006-01-02T15:04:05Z07:00')
    case 'microTime':
      return timeDecoder(canonicalMicroTime, '2006-01-02T15:04:05.000000Z07:00')
    case 'bytes':
      return bytesDecoder
    case 'any':
      return anyDecoder
  }
}

interface Property {
  name: string
  schema: Schema
  /** Upstream's own form tells an empty value from none at all as little as its stored one does. */
  dropsEmpty: boolean
  /** Looked up at first use: a type may hold itself. */
  decode: Decoder | undefined
}

function objectDecoder(schema: Schema): Decoder {
  const properties = new Map<string, Property>()
  const fills: { name: string; zero: () => unknown }[] = []
  const builtin = schema.name?.startsWith('io.k8s.') ?? false
  for (const [name, property] of schema.properties ?? []) {
    const dropsEmpty =
      property.omitsEmpty === true || (builtin && property.type === 'map' && !schema.required?.includes(name))
    properties.set(name, { name, schema: property, dropsEmpty, decode: undefined })
    const zero = zeroOf(schema, name, property, builtin)
    if (zero) fills.push({ name, zero })
  }
  const holder = shortName(schema)
  const keepUnknown = schema.preserveUnknownFields === true
  return (value, run, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mismatch(value, schema, at)
    if (++run.depth > maxDepth) throw new DecodeError('exceeded max depth')
    const source = value as Record<string, unknown>
    const result: Record<string, unknown> = {}
    for (const key of Object.keys(source)) {
      const property = properties.get(key)
      const inner = source[key]
      if (!property) {
        if (keepUnknown) assign(result, key, inner)
        else if (run.unknown && run.unknown.length < maxUnknown) {
          run.unknown.push(pathOf({ parent: at, holder, part: key }))
        }
        continue
      }
      if (inner === null || inner === undefined) continue
      property.decode ??= decoderOf(property.schema)
      const decoded = property.decode(inner, run, { parent: at, holder, part: key })
      if (property.dropsEmpty && isEmpty(decoded)) continue
      result[key] = decoded
    }
    for (const { name, zero } of fills) if (result[name] === undefined) result[name] = zero()
    run.depth--
    return result
  }
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return !value
  for (const _ in value) return false
  return true
}

/** What stands for a field that was left out; undefined: nothing does. */
function zeroOf(holder: Schema, name: string, schema: Schema, builtin: boolean): (() => unknown) | undefined {
  const { default: declared, omitsEmpty } = schema
  if (omitsEmpty && declared !== undefined && isEmpty(declared)) return undefined
  if (declared !== undefined) return typeof declared === 'object' ? () => structuredClone(declared) : () => declared
  if (!builtin) return undefined
  const isRoot =
    holder.properties?.has('apiVersion') && holder.properties.has('kind') && holder.properties.has('metadata')
  const required = holder.required?.includes(name) || (isRoot && name === 'spec')
  if (!required) return undefined
  switch (schema.type) {
    case 'string':
    case 'bytes':
      return () => ''
    case 'integer':
    case 'number':
      return () => 0
    case 'boolean':
      return () => false
    case 'array':
      return () => []
    case 'object': {
      // Held by pointer upstream: absent is a fault that validation names.
      if (/\.(LabelSelector|ParentReference|SecretReference|LocalObjectReference)$/.test(schema.name ?? ''))
        return undefined
      let decode: Decoder | undefined
      return () => {
        decode ??= decoderOf(schema)
        return decode({}, { unknown: undefined, depth: 0 }, root)
      }
    }
    default:
      return undefined
  }
}

function mapDecoder(schema: Schema): Decoder {
  const values = schema.values as Schema
  let decode: Decoder | undefined
  return (value, run, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mismatch(value, schema, at)
    decode ??= decoderOf(values)
    const source = value as Record<string, unknown>
    const result: Record<string, unknown> = {}
    for (const key of Object.keys(source)) {
      const inner = source[key]
      const decoded = inner === null ? zeroValue(values) : decode(inner, run, at)
      if (decoded !== undefined) assign(result, key, decoded)
    }
    return result
  }
}

function arrayDecoder(schema: Schema): Decoder {
  const items = schema.items as Schema
  let decode: Decoder | undefined
  return (value, run, at) => {
    if (!Array.isArray(value)) throw mismatch(value, schema, at)
    decode ??= decoderOf(items)
    const result = new Array<unknown>(value.length)
    for (let i = 0; i < value.length; i++) {
      const inner: unknown = value[i]
      result[i] = inner === null ? zeroValue(items) : decode(inner, run, { parent: at, holder: at.holder, part: i })
    }
    return result
  }
}

/** What a null becomes in a list or map, where it cannot simply be left out. */
function zeroValue(schema: Schema): unknown {
  switch (schema.type) {
    case 'string':
    case 'bytes':
      return ''
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0
    case 'boolean':
      return false
    case 'quantity':
      return '0'
    case 'array':
      return []
    case 'any':
      return null
    case 'object':
    case 'map':
      return decoderOf(schema)({}, { unknown: undefined, depth: 0 }, root)
    default:
      return undefined
  }
}

function scalarDecoder(type: 'string' | 'boolean' | 'number', schema: Schema): Decoder {
  return (value, _run, at) => {
    if (typeof value !== type) throw mismatch(value, schema, at)
    return value
  }
}

function integerDecoder(schema: Schema): Decoder {
  const is32 = schema.format === 'int32'
  return (value, _run, at) => {
    if (typeof value !== 'number') throw mismatch(value, schema, at)
    if (
      !Number.isInteger(value) ||
      (is32 && (value > 2_147_483_647 || value < -2_147_483_648)) ||
      Math.abs(value) > 2 ** 63
    ) {
      throw mismatch(value, schema, at, `number ${value}`)
    }
    return value
  }
}

const quantityDecoder: Decoder = (value, _run, at) => {
  if (typeof value !== 'string' && typeof value !== 'number') throw mismatch(value, { type: 'quantity' }, at)
  try {
    return canonicalQuantity(value)
  } catch {
    throw new DecodeError(quantityFault(value) ?? 'invalid quantity')
  }
}

const intOrStringDecoder: Decoder = (value) => {
  if (typeof value === 'string') return value
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2_147_483_647) return value
  throw new DecodeError(`json: cannot unmarshal ${wireType(value, true)} into Go value of type int32`)
}

function timeDecoder(canonical: (text: string) => string | undefined, layout: string): Decoder {
  return (value) => {
    if (typeof value !== 'string') {
      throw new DecodeError(`json: cannot unmarshal ${wireType(value)} into Go value of type string`)
    }
    const time = canonical(value)
    if (time === undefined) {
      throw new DecodeError(
        `parsing time ${JSON.stringify(value)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(value)} as "2006"`,
      )
    }
    return time
  }
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/

const bytesDecoder: Decoder = (value, _run, at) => {
  if (typeof value !== 'string') throw mismatch(value, { type: 'bytes' }, at)
  // Line breaks are allowed, as Go's decoder does.
  const text = value.includes('\n') || value.includes('\r') ? value.replace(/[\r\n]/g, '') : value
  if (text.length % 4 === 0 && base64.test(text)) return text
  let at64 = 0
  while (at64 < text.length && /[A-Za-z0-9+/]/.test(text[at64] as string)) at64++
  throw new DecodeError(
    `illegal base64 data at input byte ${Math.min(at64, Math.max(0, text.length - (text.length % 4)))}`,
  )
}

const anyDecoder: Decoder = (value) => value

/** Sets an own property whatever the key: `__proto__` is a label like any other. */
function assign(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
  else target[key] = value
}

function mismatch(value: unknown, schema: Schema, at: At, what = wireType(value)): DecodeError {
  const into = at.parent ? `Go struct field ${holderOf(at)}.${goPathOf(at)}` : 'Go value'
  return new DecodeError(`json: cannot unmarshal ${what} into ${into} of type ${goType(schema)}`)
}

function holderOf(at: At): string {
  return typeof at.part === 'number' && at.parent ? holderOf(at.parent) : at.holder
}

/** Fields alone: Go does not count list items. */
function goPathOf(at: At): string {
  const parts: string[] = []
  for (let here: At | undefined = at; here?.parent; here = here.parent) {
    if (typeof here.part === 'string') parts.unshift(here.part)
  }
  return parts.join('.')
}

function pathOf(at: At): string {
  let path = ''
  for (let here: At | undefined = at; here?.parent; here = here.parent) {
    const next = path === '' || path.startsWith('[') ? path : `.${path}`
    path = typeof here.part === 'number' ? `[${here.part}]${next}` : `${here.part}${next}`
  }
  return path
}

function wireType(value: unknown, withNumber = false): string {
  if (Array.isArray(value)) return 'array'
  if (value === null) return 'null'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return withNumber ? `number ${value}` : 'number'
  return typeof value === 'string' ? 'string' : 'object'
}

const shortName = ({ name }: Schema): string => name?.slice(name.lastIndexOf('.') + 1) ?? ''

/** The type as Go would print it. */
function goType(schema: Schema): string {
  switch (schema.type) {
    case 'array':
      return `[]${goType(schema.items as Schema)}`
    case 'map':
      return `map[string]${goType(schema.values as Schema)}`
    case 'object':
      return schema.name ? schema.name.split('.').slice(-2).join('.') : 'map[string]interface {}'
    case 'integer':
      return schema.format ?? 'int64'
    case 'number':
      return 'float64'
    case 'boolean':
      return 'bool'
    case 'bytes':
      return '[]uint8'
    case 'quantity':
      return 'resource.Quantity'
    default:
      return 'string'
  }
}
