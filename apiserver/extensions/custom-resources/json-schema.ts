import { asSchema } from '../../../api/apiextensions/schema-walk.ts'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import { isKnownFormat } from './formats.ts'

/** A definition's schema as the validator reads one: JSON Schema of draft 7. */
export function jsonSchemaOf(schema: JSONSchemaProps): object {
  const { type, minimum, maximum, format, exclusiveMinimum, exclusiveMaximum, additionalProperties } = schema
  const types = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : type ? [type] : []
  const items = asSchema(schema.items)
  const others = asSchema(additionalProperties)
  return {
    ...(types.length > 0 ? { type: schema.nullable ? [...types, 'null'] : types } : {}),
    ...(minimum === undefined ? {} : { [exclusiveMinimum ? 'exclusiveMinimum' : 'minimum']: minimum }),
    ...(maximum === undefined ? {} : { [exclusiveMaximum ? 'exclusiveMaximum' : 'maximum']: maximum }),
    ...(format && isKnownFormat(format) ? { format } : {}),
    ...Object.fromEntries(same.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]]))),
    ...(items ? { items: jsonSchemaOf(items) } : {}),
    ...(others
      ? { additionalProperties: jsonSchemaOf(others) }
      : additionalProperties === false
        ? { additionalProperties }
        : {}),
    ...(schema.properties ? { properties: mapped(schema.properties) } : {}),
    ...(schema.not ? { not: jsonSchemaOf(schema.not) } : {}),
    ...Object.fromEntries(
      junctors.flatMap((name) => (schema[name]?.length ? [[name, schema[name].map(jsonSchemaOf)]] : [])),
    ),
  }
}

/** Keywords that mean the same in both. */
const same = [
  'enum',
  'maxItems',
  'maxLength',
  'maxProperties',
  'minItems',
  'minLength',
  'minProperties',
  'multipleOf',
  'pattern',
  'required',
  'uniqueItems',
] as const
const junctors = ['allOf', 'anyOf', 'oneOf'] as const

const mapped = (schemas: Record<string, JSONSchemaProps>): object =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, jsonSchemaOf(schema)]))
