import type { JSONSchemaProps } from '../generated/types.ts'
import { patternFault } from '../machinery/compilers.ts'
import {
  child,
  type FieldError,
  forbidden,
  formatFieldError,
  index,
  invalid,
  key,
  required,
} from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { asSchema, asSchemas, propertyOf, subschemas } from './schema-walk.ts'

/**
 * The rules that make a schema structural: every field has a type, said once, outside of allOf, anyOf, oneOf and not.
 */
export function validateStructural(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors = [...invariants(schema, 'root', path), ...completeness(schema, path)]
  return errors.sort((a, b) => (formatFieldError(a) < formatFieldError(b) ? -1 : 1))
}

/** Why a schema cannot be read as a structural one at all, or undefined. */
export function structuralFault(schema: JSONSchemaProps): string | undefined {
  if (schema.id) return "OpenAPIV3Schema 'id' is not supported"
  if (schema.$schema) return "OpenAPIV3Schema 'schema' is not supported"
  if (schema.$ref) return "OpenAPIV3Schema '$ref' is not supported"
  if (notEmpty(schema.patternProperties)) return "OpenAPIV3Schema 'patternProperties' is not supported"
  if (notEmpty(schema.dependencies)) return "OpenAPIV3Schema 'dependencies' is not supported"
  if (schema.additionalItems !== undefined) return "OpenAPIV3Schema 'additionalItems' is not supported"
  if (notEmpty(schema.definitions)) return "OpenAPIV3Schema 'definitions' is not supported"
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
  }
  if (asSchemas(schema.items).length > 0) return "OpenAPIV3Schema 'items' must be a schema, but is an array"
  for (const inner of subschemas(schema)) {
    const fault = structuralFault(inner)
    if (fault) return fault
  }
  return undefined
}

const notEmpty = (map: object | undefined): boolean => map !== undefined && Object.keys(map).length > 0

type Level = 'root' | 'item' | 'field'

const missingType: Record<Level, string> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

function invariants(schema: JSONSchemaProps, level: Level, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { type = '', properties = {}, additionalProperties } = schema
  const embedded = schema['x-kubernetes-embedded-resource'] ?? false
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] ?? false
  const intOrString = schema['x-kubernetes-int-or-string'] ?? false

  const items = asSchema(schema.items)
  if (type === 'array' && !items) errors.push(required(child(path, 'items'), 'must be specified'))
  if (items) errors.push(...invariants(items, 'item', child(path, 'items')))
  for (const [name, property] of Object.entries(properties)) {
    errors.push(...invariants(property, 'field', key(child(path, 'properties'), name)))
  }
  if (additionalProperties !== undefined) {
    const at = child(path, 'additionalProperties')
    if (level === 'root') errors.push(forbidden(at, 'must not be used at the root'))
    const values = asSchema(additionalProperties)
    if (values) errors.push(...invariants(values, 'field', at))
  }

  if (intOrString && preserves) {
    errors.push(
      invalid(
        child(path, 'x-kubernetes-preserve-unknown-fields'),
        true,
        'must be false if x-kubernetes-int-or-string is true',
      ),
    )
  }
  if (intOrString && embedded) {
    errors.push(
      invalid(
        child(path, 'x-kubernetes-embedded-resource'),
        true,
        'must be false if x-kubernetes-int-or-string is true',
      ),
    )
  }
  errors.push(...valueRules(schema, isIntOrString(schema.anyOf), isIntOrString(schema.allOf?.[0]?.anyOf), path))

  if (embedded && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type === '' ? required(child(path, 'type'), why) : invalid(child(path, 'type'), type, why))
  } else if (type === '' && !intOrString && !preserves) {
    errors.push(required(child(path, 'type'), missingType[level]))
  }
  if (embedded && additionalProperties !== undefined) {
    errors.push(
      forbidden(child(path, 'additionalProperties'), 'must not be used if x-kubernetes-embedded-resource is set'),
    )
  }
  if (level === 'root' && type !== '' && type !== 'object') {
    errors.push(invalid(child(path, 'type'), type, 'must be object at the root'))
  }
  if (level === 'root' || embedded) errors.push(...typeMetaRules(properties, path))
  if (level === 'root' && properties.metadata && !isPlainMetadata(properties.metadata)) {
    errors.push(
      forbidden(
        key(child(path, 'properties'), 'metadata'),
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    )
  }
  if (embedded && !preserves && Object.keys(properties).length === 0) {
    errors.push(
      required(
        child(path, 'properties'),
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    )
  }
  return errors
}

const metaTypes = { kind: 'string', apiVersion: 'string', metadata: 'object' } as const

function typeMetaRules(properties: Record<string, JSONSchemaProps>, path: string): FieldError[] {
  return Object.entries(metaTypes).flatMap(([name, wanted]) => {
    const property = properties[name]
    if (!property || property.type === wanted) return []
    return [invalid(child(key(child(path, 'properties'), name), 'type'), property.type ?? '', `must be ${wanted}`)]
  })
}

/** The root's metadata may say its type and restrict the two names, no more. */
function isPlainMetadata(metadata: JSONSchemaProps): boolean {
  return Object.entries(metadata).every(([keyword, value]) => {
    if (keyword === 'type' || keyword === 'default') return true
    if (keyword === 'properties') {
      return Object.keys(value as object).every((name) => name === 'name' || name === 'generateName')
    }
    if (keyword === 'items' || keyword === 'additionalProperties') return false
    return value === '' || value === false || semanticEqual(value, undefined)
  })
}

const isIntOrString = (anyOf: readonly JSONSchemaProps[] | undefined): boolean =>
  anyOf?.length === 2 && semanticEqual(anyOf[0], { type: 'integer' }) && semanticEqual(anyOf[1], { type: 'string' })

/** `intOrString` and `firstAllOfIntOrString`: the one place where types may stand inside anyOf. */
function valueRules(
  schema: JSONSchemaProps,
  intOrString: boolean,
  firstAllOfIntOrString: boolean,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (!intOrString) {
    for (const [i, inner] of (schema.anyOf ?? []).entries()) {
      errors.push(...nestedRules(inner, false, index(child(path, 'anyOf'), i)))
    }
  }
  for (const [i, inner] of (schema.allOf ?? []).entries()) {
    errors.push(...nestedRules(inner, firstAllOfIntOrString && i === 0, index(child(path, 'allOf'), i)))
  }
  for (const [i, inner] of (schema.oneOf ?? []).entries()) {
    errors.push(...nestedRules(inner, false, index(child(path, 'oneOf'), i)))
  }
  if (schema.not) errors.push(...nestedRules(schema.not, false, child(path, 'not')))
  if (schema.pattern) {
    const fault = patternFault(schema.pattern)
    if (fault) {
      errors.push(
        invalid(child(path, 'pattern'), schema.pattern, `must be a valid regular expression, but isn't: ${fault}`),
      )
    }
  }
  return errors
}

/** What may not be said inside allOf, anyOf, oneOf and not, in upstream's words. */
const forbiddenNested: readonly [keyof JSONSchemaProps, string][] = [
  ['type', 'must be empty to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

function nestedRules(schema: JSONSchemaProps, intOrString: boolean, path: string): FieldError[] {
  const errors = valueRules(schema, intOrString, false, path)
  const items = asSchema(schema.items)
  if (items) errors.push(...nestedRules(items, false, child(path, 'items')))
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...nestedRules(property, false, key(child(path, 'properties'), name)))
  }
  if (schema.additionalProperties !== undefined && schema.additionalProperties !== false) {
    errors.push(forbidden(child(path, 'additionalProperties'), 'must be undefined to be structural'))
  }
  for (const [keyword, why] of forbiddenNested) {
    const value = schema[keyword]
    const empty = value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0)
    if (!(empty && (keyword !== 'default' || value === undefined))) errors.push(forbidden(child(path, keyword), why))
  }
  if (schema.properties?.metadata) {
    errors.push(forbidden(key(child(path, 'properties'), 'metadata'), 'must not be specified in a nested context'))
  }
  return errors
}

/** What a nested rule names must be specified outside as well. Upstream asks this of the rules at the root. */
const completeness = (schema: JSONSchemaProps, path: string): FieldError[] =>
  nestedSpecified(schema, schema, path, path)

function nestedSpecified(
  rules: JSONSchemaProps,
  outside: JSONSchemaProps,
  path: string,
  rulesPath: string,
): FieldError[] {
  const nested: [JSONSchemaProps, string][] = rules.not ? [[rules.not, child(rulesPath, 'not')]] : []
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    for (const [i, inner] of (rules[name] ?? []).entries()) nested.push([inner, index(child(rulesPath, name), i)])
  }
  return nested.flatMap(([inner, at]) => specified(inner, outside, path, at))
}

function specified(
  rules: JSONSchemaProps,
  outside: JSONSchemaProps | undefined,
  path: string,
  rulesPath: string,
): FieldError[] {
  if (!outside) return [required(path, `because it is defined in ${rulesPath}`)]
  const errors = nestedSpecified(rules, outside, path, rulesPath)
  const items = asSchema(rules.items)
  if (items) {
    errors.push(...specified(items, asSchema(outside.items), child(path, 'items'), child(rulesPath, 'items')))
  }
  for (const [name, property] of Object.entries(rules.properties ?? {})) {
    const at = key(child(path, 'properties'), name)
    errors.push(...specified(property, propertyOf(outside, name), at, key(child(rulesPath, 'properties'), name)))
  }
  return errors
}
