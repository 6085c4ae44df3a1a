import type { JSONSchemaProps, ValidationRule } from '../generated/types.ts'
import { type ExpressionUse, expressionFault } from '../machinery/compilers.ts'
import {
  child,
  type FieldError,
  forbidden,
  index,
  invalid,
  key,
  notSupported,
  required,
} from '../machinery/field-errors.ts'
import { resolveFieldPath } from './field-path.ts'
import { asSchema, asSchemas, propertyOf } from './schema-walk.ts'

interface Place {
  root: boolean
  /** Why no default may stand here; undefined: one may. */
  noDefaults?: string
  insideMetadata: boolean
}

/** Faults of an OpenAPI schema of a custom resource, anywhere in it, structure apart. */
export const validateOpenApiSchema = (schema: JSONSchemaProps, path: string): FieldError[] =>
  rules(schema, path, { root: true, insideMetadata: false })

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const metaFields = ['metadata', 'kind', 'apiVersion']

function rules(schema: JSONSchemaProps, path: string, place: Place): FieldError[] {
  const errors = unsupported(schema, path, place)
  const below: Place = { ...place, root: false }
  if (schema.uniqueItems) {
    errors.push(
      forbidden(
        child(path, 'uniqueItems'),
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  }
  const { additionalProperties, properties = {} } = schema
  if (additionalProperties !== undefined) {
    const at = child(path, 'additionalProperties')
    if (Object.keys(properties).length > 0 && additionalProperties !== true) {
      errors.push(forbidden(at, 'additionalProperties and properties are mutual exclusive'))
    }
    const values = asSchema(additionalProperties)
    const inner = place.insideMetadata
      ? { ...below, noDefaults: 'inside additionalProperties applying to object metadata' }
      : below
    if (values) errors.push(...rules(values, at, inner))
  }
  for (const [name, property] of Object.entries(properties)) {
    const inner = { ...below }
    if ((place.root || schema['x-kubernetes-embedded-resource']) && metaFields.includes(name)) {
      inner.insideMetadata = true
      if (place.root) inner.noDefaults = `in top-level ${name}`
    }
    errors.push(...rules(property, key(child(path, 'properties'), name), inner))
  }
  if (schema.not) errors.push(...rules(schema.not, child(path, 'not'), below))
  for (const name of ['allOf', 'oneOf', 'anyOf'] as const) {
    for (const [i, inner] of (schema[name] ?? []).entries()) {
      errors.push(...rules(inner, index(child(path, name), i), below))
    }
  }
  for (const [name, inner] of Object.entries(schema.definitions ?? {})) {
    errors.push(...rules(inner, key(child(path, 'definitions'), name), below))
  }
  const items = asSchema(schema.items)
  if (items) errors.push(...rules(items, child(path, 'items'), below))
  for (const [i, inner] of asSchemas(schema.items).entries()) {
    errors.push(...rules(inner, index(child(path, 'items'), i), below))
  }
  errors.push(...mapAndListRules(schema, path))
  for (const [i, rule] of (schema['x-kubernetes-validations'] ?? []).entries()) {
    errors.push(...validateRule(rule, schema, index(child(path, 'x-kubernetes-validations'), i)))
  }
  return errors
}

function unsupported(schema: JSONSchemaProps, path: string, place: Place): FieldError[] {
  const errors: FieldError[] = []
  const { type } = schema
  if (type && !types.includes(type)) errors.push(notSupported(child(path, 'type'), type, types))
  if (schema.default !== undefined && schema.default !== null && place.noDefaults) {
    errors.push(forbidden(child(path, 'default'), `must not be set ${place.noDefaults}`))
  }
  const no = (keyword: string, present: boolean) => {
    if (present) errors.push(forbidden(child(path, keyword), `${keyword} is not supported`))
  }
  no('id', Boolean(schema.id))
  no('additionalItems', schema.additionalItems !== undefined)
  no('patternProperties', Object.keys(schema.patternProperties ?? {}).length > 0)
  no('definitions', Object.keys(schema.definitions ?? {}).length > 0)
  no('dependencies', schema.dependencies !== undefined)
  no('$ref', schema.$ref !== undefined)
  if (type === 'null') {
    errors.push(forbidden(child(path, 'type'), 'type cannot be set to null, use nullable as an alternative'))
  }
  if (asSchemas(schema.items).length > 0) {
    errors.push(forbidden(child(path, 'items'), 'items must be a schema object and not an array'))
  }
  if (place.insideMetadata && schema['x-kubernetes-embedded-resource']) {
    errors.push(forbidden(child(path, 'x-kubernetes-embedded-resource'), 'must not be used inside of resource meta'))
  }
  return errors
}

function mapAndListRules(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { type = '' } = schema
  const mapType = schema['x-kubernetes-map-type']
  const listType = schema['x-kubernetes-list-type']
  const mapKeys = schema['x-kubernetes-list-map-keys'] ?? []
  const items = asSchema(schema.items)
  const wrongType = (why: string) =>
    type === '' ? required(child(path, 'type'), why) : invalid(child(path, 'type'), type, why)

  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(invalid(child(path, 'x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'))
  }
  if (mapType !== undefined && type !== 'object') {
    errors.push(wrongType('must be object if x-kubernetes-map-type is specified'))
  }
  if (mapType !== undefined && mapType !== 'atomic' && mapType !== 'granular') {
    errors.push(notSupported(child(path, 'x-kubernetes-map-type'), mapType, ['atomic', 'granular']))
  }
  if (listType !== undefined && type !== 'array') {
    errors.push(wrongType('must be array if x-kubernetes-list-type is specified'))
  } else if (listType === 'set' && items) errors.push(...setItemRules(items, child(path, 'items')))
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType)) {
    errors.push(notSupported(child(path, 'x-kubernetes-list-type'), listType, ['atomic', 'set', 'map']))
  }
  if (mapKeys.length > 0 && listType !== 'map') {
    const at = child(path, 'x-kubernetes-list-type')
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty'
    errors.push(listType === undefined ? required(at, why) : invalid(at, listType, why))
  }
  if (listType === 'map') errors.push(...mapListRules(schema, mapKeys, path))
  if (items && (listType === 'set' || listType === 'map')) errors.push(...keyRules(items, listType, mapKeys, path))
  return errors
}

function setItemRules(items: JSONSchemaProps, path: string): FieldError[] {
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const listType = items['x-kubernetes-list-type']
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic') {
    return [invalid(child(path, 'x-kubernetes-list-type'), listType, why)]
  }
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
    // Upstream shows the list type here, not the map type.
    return [invalid(child(path, 'x-kubernetes-map-type'), listType, why)]
  }
  return []
}

function mapListRules(schema: JSONSchemaProps, keys: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = []
  const keysPath = child(path, 'x-kubernetes-list-map-keys')
  const itemsPath = child(path, 'items')
  if (keys.length === 0) errors.push(required(keysPath, 'must not be empty if x-kubernetes-list-type is map'))
  if (schema.items === undefined) {
    errors.push(required(itemsPath, 'must have a schema if x-kubernetes-list-type is map'))
    return errors
  }
  const items = asSchema(schema.items)
  if (!items) {
    errors.push(invalid(itemsPath, schema.items, 'must only have a single schema if x-kubernetes-list-type is map'))
    return errors
  }
  if (items.type !== 'object') {
    errors.push(
      invalid(
        child(itemsPath, 'type'),
        items.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    )
    return errors
  }
  for (const [i, name] of keys.entries()) {
    const property = propertyOf(items, name)
    if (!property) errors.push(invalid(keysPath, keys, 'entries must all be names of item properties'))
    else if (property.type === 'array' || property.type === 'object') {
      errors.push(
        invalid(
          child(key(child(itemsPath, 'properties'), name), 'type'),
          items.type,
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
      )
    }
    if (keys.indexOf(name) < i) errors.push(invalid(keysPath, keys, 'must not contain duplicate entries'))
  }
  return errors
}

function keyRules(items: JSONSchemaProps, listType: string, keys: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = []
  const itemsPath = child(path, 'items')
  if (items.nullable) {
    errors.push(
      forbidden(child(itemsPath, 'nullable'), `cannot be nullable when x-kubernetes-list-type is ${listType}`),
    )
  }
  if (listType !== 'map') return errors
  for (const name of keys) {
    const property = propertyOf(items, name)
    if (!property) continue
    const at = key(child(itemsPath, 'properties'), name)
    if (!items.required?.includes(name) && (property.default === undefined || property.default === null)) {
      errors.push(
        required(
          child(at, 'default'),
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      )
    }
    if (property.nullable) {
      errors.push(
        forbidden(child(at, 'nullable'), 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'),
      )
    }
  }
  return errors
}

function compileFaults(expression: string, use: ExpressionUse, path: string, rule: ValidationRule): FieldError[] {
  const fault = expressionFault(expression, use)
  return fault === undefined ? [] : [invalid(path, rule, fault)]
}

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
const hasLineBreak = (text: string) => /[\n\r]/.test(text)

/** What can be said of a rule without compiling it. */
function validateRule(rule: ValidationRule, schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { message = '', messageExpression = '', fieldPath = '', reason } = rule
  const expression = (rule.rule ?? '').trim()
  const trimmed = message.trim()
  if (expression === '') errors.push(required(child(path, 'rule'), 'rule is not specified'))
  else if (message !== '' && trimmed === '') {
    errors.push(invalid(child(path, 'message'), message, 'must be non-empty if specified'))
  } else if (hasLineBreak(trimmed)) {
    errors.push(invalid(child(path, 'message'), message, 'must not contain line breaks'))
  } else if (hasLineBreak(expression) && trimmed === '') {
    errors.push(required(child(path, 'message'), 'message must be specified if rule contains line breaks'))
  }
  if (expression !== '') errors.push(...compileFaults(expression, 'resourceRule', child(path, 'rule'), rule))
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(required(child(path, 'messageExpression'), 'messageExpression must be non-empty if specified'))
  } else if (messageExpression !== '') {
    errors.push(
      ...compileFaults(messageExpression.trim(), 'resourceRuleMessage', child(path, 'messageExpression'), rule),
    )
  }
  if (reason !== undefined && !reasons.includes(reason)) {
    errors.push(notSupported(child(path, 'reason'), reason, reasons))
  }
  const at = child(path, 'fieldPath')
  if (fieldPath !== '' && fieldPath.trim() === '') errors.push(invalid(at, fieldPath, 'must be non-empty if specified'))
  if (hasLineBreak(fieldPath)) errors.push(invalid(at, fieldPath, 'must not contain line breaks'))
  if (fieldPath !== '' && 'fault' in resolveFieldPath(fieldPath, schema, { brackets: true })) {
    errors.push(invalid(at, fieldPath, 'must be a valid path'))
  }
  return errors
}
