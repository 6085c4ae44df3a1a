import { child, type FieldError, index, key, printValue, typeInvalid } from '../machinery/field-errors.ts'

type Shape = 'string' | 'number' | 'boolean' | 'strings' | 'schema' | 'schemas' | 'schemaMap' | 'any' | 'rules'

/** What each keyword of a schema holds. */
const keywords: Readonly<Record<string, Shape | readonly Shape[]>> = {
  $ref: 'string',
  $schema: 'string',
  additionalItems: ['boolean', 'schema'],
  additionalProperties: ['boolean', 'schema'],
  allOf: 'schemas',
  anyOf: 'schemas',
  definitions: 'schemaMap',
  description: 'string',
  exclusiveMaximum: 'boolean',
  exclusiveMinimum: 'boolean',
  format: 'string',
  id: 'string',
  items: ['schema', 'schemas'],
  maxItems: 'number',
  maxLength: 'number',
  maxProperties: 'number',
  maximum: 'number',
  minItems: 'number',
  minLength: 'number',
  minProperties: 'number',
  minimum: 'number',
  multipleOf: 'number',
  not: 'schema',
  nullable: 'boolean',
  oneOf: 'schemas',
  pattern: 'string',
  patternProperties: 'schemaMap',
  properties: 'schemaMap',
  required: 'strings',
  title: 'string',
  type: 'string',
  uniqueItems: 'boolean',
  'x-kubernetes-embedded-resource': 'boolean',
  'x-kubernetes-int-or-string': 'boolean',
  'x-kubernetes-list-map-keys': 'strings',
  'x-kubernetes-list-type': 'string',
  'x-kubernetes-map-type': 'string',
  'x-kubernetes-preserve-unknown-fields': 'boolean',
  'x-kubernetes-validations': 'rules',
}

/**
 * Faults of form anywhere in a schema. Decoding leaves `items`, `additionalProperties` and what is inside as they came,
 * so that everything after this may trust the types.
 */
export function validateShape(schema: unknown, path: string): FieldError[] {
  if (!isRecord(schema)) return [typeInvalid(path, schema, 'must be a schema')]
  return Object.entries(schema).flatMap(([keyword, value]) => {
    const expected = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined
    if (!expected || value === null) return []
    const at = child(path, keyword)
    const shapes = typeof expected === 'string' ? [expected] : expected
    const shape = shapes.find((candidate) => matches(value, candidate))
    return shape
      ? inside(value, shape, at)
      : [typeInvalid(at, value, `must be ${shapes.join(' or ')}, not ${printValue(value)}`)]
  })
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function matches(value: unknown, shape: Shape): boolean {
  switch (shape) {
    case 'any':
      return true
    case 'strings':
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
    case 'schemas':
    case 'rules':
      return Array.isArray(value)
    case 'schema':
    case 'schemaMap':
      return isRecord(value)
    default:
      return typeof value === shape
  }
}

function inside(value: unknown, shape: Shape, path: string): FieldError[] {
  switch (shape) {
    case 'schema':
      return validateShape(value, path)
    case 'schemas':
      return (value as unknown[]).flatMap((item, i) => validateShape(item, index(path, i)))
    case 'schemaMap':
      return Object.entries(value as object).flatMap(([name, item]) => validateShape(item, key(path, name)))
    case 'rules':
      return (value as unknown[]).flatMap((rule, i) =>
        isRecord(rule) ? [] : [typeInvalid(index(path, i), rule, 'must be a validation rule')],
      )
    default:
      return []
  }
}
