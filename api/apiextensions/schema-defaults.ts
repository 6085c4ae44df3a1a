import type { JSONSchemaProps, JsonValue } from '../generated/types.ts'
import { child, type FieldError, invalid, key } from '../machinery/field-errors.ts'
import { asSchema, propertyOf } from './schema-walk.ts'

/** Faults of the defaults in a structural schema: each must fit the schema it stands in and name no unknown field. */
export function validateDefaults(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { default: value } = schema
  if (value !== undefined && value !== null) {
    const at = child(path, 'default')
    if (hasUnknownFields(value, schema)) errors.push(invalid(at, value, 'must not have unknown fields'))
    errors.push(...typeFaults(value, schema, at))
  }
  const items = asSchema(schema.items)
  if (items) errors.push(...validateDefaults(items, child(path, 'items')))
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...validateDefaults(property, key(child(path, 'properties'), name)))
  }
  return errors
}

const metaFields = ['apiVersion', 'kind', 'metadata']
const isRecord = (value: unknown): value is Record<string, JsonValue> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function hasUnknownFields(value: JsonValue, schema: JSONSchemaProps): boolean {
  const items = asSchema(schema.items)
  if (Array.isArray(value)) return items !== undefined && value.some((item) => hasUnknownFields(item, items))
  if (!isRecord(value)) return false
  const others = asSchema(schema.additionalProperties)
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] || schema.additionalProperties === true
  return Object.entries(value).some(([name, field]) => {
    if (schema['x-kubernetes-embedded-resource'] && metaFields.includes(name)) return false
    const inner = propertyOf(schema, name) ?? others
    return inner ? hasUnknownFields(field, inner) : !keeps
  })
}

/** Whether types, required fields and enumerations hold; values are checked in full where objects are. */
function typeFaults(value: JsonValue, schema: JSONSchemaProps, path: string): FieldError[] {
  if (value === null && schema.nullable) return []
  const actual = typeOf(value)
  const { type } = schema
  if (schema['x-kubernetes-int-or-string']) {
    return actual === 'integer' || actual === 'string'
      ? []
      : [invalid(path, value, `${path} in body must be of type integer,string: ${JSON.stringify(actual)}`)]
  }
  if (type && actual !== type && !(type === 'number' && actual === 'integer')) {
    return [invalid(path, actual, `${path} in body must be of type ${type}: ${JSON.stringify(actual)}`)]
  }
  const errors: FieldError[] = []
  if (schema.enum && !schema.enum.some((allowed) => JSON.stringify(allowed) === JSON.stringify(value))) {
    errors.push({
      type: 'FieldValueNotSupported',
      field: path,
      message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${schema.enum.map((allowed) => JSON.stringify(allowed)).join(', ')}`,
    })
  }
  if (Array.isArray(value)) {
    const items = asSchema(schema.items)
    if (items) errors.push(...value.flatMap((item, i) => typeFaults(item, items, `${path}[${i}]`)))
  } else if (isRecord(value)) {
    for (const name of schema.required ?? []) {
      if (!Object.hasOwn(value, name))
        errors.push({ type: 'FieldValueRequired', field: child(path, name), message: 'Required value' })
    }
    for (const [name, field] of Object.entries(value)) {
      const inner = propertyOf(schema, name) ?? asSchema(schema.additionalProperties)
      if (inner) errors.push(...typeFaults(field, inner, child(path, name)))
    }
  }
  return errors
}

function typeOf(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
