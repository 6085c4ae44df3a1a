import { asSchema, propertyOf } from '../../../api/apiextensions/schema-walk.ts'
import type { JSONSchemaProps, ObjectMeta } from '../../../api/generated/types.ts'
import { child, type FieldError, index, invalid, key, required } from '../../../api/machinery/field-errors.ts'
import { validateObjectMeta } from '../../../api/machinery/meta-validation.ts'
import { isDNS1035Label, pathSegmentName } from '../../../api/machinery/names.ts'

/** Faults of the objects that lie inside an object: each says what it is, and has metadata like any other. */
export function embeddedFaults(value: unknown, schema: JSONSchemaProps | undefined, path = ''): FieldError[] {
  if (!schema || typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    const items = asSchema(schema.items)
    return items ? value.flatMap((item, i) => embeddedFaults(item, items, index(path, i))) : []
  }
  const own = schema['x-kubernetes-embedded-resource'] ? resourceFaults(value as Record<string, unknown>, path) : []
  const inner = Object.entries(value).flatMap(([name, field]) => {
    const property = propertyOf(schema, name)
    if (property) return embeddedFaults(field, property, child(path, name))
    return embeddedFaults(field, asSchema(schema.additionalProperties), key(path, name))
  })
  return [...own, ...inner]
}

function resourceFaults(object: Record<string, unknown>, path: string): FieldError[] {
  const { apiVersion, kind, metadata } = object
  const errors: FieldError[] = []
  if (apiVersion === undefined) errors.push(required(child(path, 'apiVersion')))
  else if (apiVersion === '') errors.push(invalid(child(path, 'apiVersion'), apiVersion, 'must not be empty'))
  else if (String(apiVersion).split('/').length > 2) {
    errors.push(invalid(child(path, 'apiVersion'), apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  }
  if (kind === undefined) errors.push(required(child(path, 'kind')))
  else if (kind === '') errors.push(invalid(child(path, 'kind'), kind, 'must not be empty'))
  else {
    const faults = isDNS1035Label(String(kind).toLowerCase())
    if (faults.length > 0) {
      const why = `may have mixed case, but should otherwise match: ${faults.join(',')}`
      errors.push(invalid(child(path, 'kind'), kind, why))
    }
  }
  if (metadata === undefined) return errors
  const meta = metadata as ObjectMeta
  return [
    ...errors,
    // It need not have a name; any will do for the rest.
    ...validateObjectMeta(meta.name ? meta : { ...meta, name: 'fakename' }, {
      namespaced: Boolean(meta.namespace),
      validateName: pathSegmentName,
      path: child(path, 'metadata'),
    }),
  ]
}
