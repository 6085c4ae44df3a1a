import { asSchema } from '../../../api/apiextensions/schema-walk.ts'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import type { Schema } from '../../../api/machinery/schema.ts'
import { builtinSchema } from '../../../api/schema/builtin.ts'

const text: Schema = { type: 'string' }

/** The structure of a custom resource as patches and ownership need it: server-side apply goes by list and map types. */
export function schemaType(
  root: JSONSchemaProps | undefined,
  rest: Pick<Schema, 'name' | 'decode' | 'openapi'>,
): Schema {
  return { ...resourceType(root ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }), ...rest }
}

function resourceType(schema: JSONSchemaProps): Schema {
  const properties = new Map<string, Schema>([
    ['apiVersion', text],
    ['kind', text],
    ['metadata', builtinSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')],
  ])
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (!properties.has(name)) properties.set(name, typeOf(property))
  }
  return { type: 'object', properties, ...common(schema) }
}

function typeOf(schema: JSONSchemaProps): Schema {
  if (schema['x-kubernetes-int-or-string']) return { type: 'intOrString', ...common(schema) }
  if (schema['x-kubernetes-embedded-resource']) return resourceType(schema)
  switch (schema.type) {
    case 'object':
      return objectType(schema)
    case 'array':
      return listType(schema)
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return { type: schema.type, ...(schema.format ? { format: schema.format } : {}), ...common(schema) }
    default:
      return { type: 'any', preserveUnknownFields: true, ...common(schema) }
  }
}

function objectType(schema: JSONSchemaProps): Schema {
  const properties = Object.entries(schema.properties ?? {})
  if (properties.length > 0) {
    const fields = properties.map(([name, property]): [string, Schema] => [name, typeOf(property)])
    return { type: 'object', properties: new Map(fields), ...common(schema) }
  }
  if (schema.additionalProperties !== undefined) {
    const values = asSchema(schema.additionalProperties)
    return { type: 'map', ...(values ? { values: typeOf(values) } : {}), ...common(schema) }
  }
  return { type: 'object', properties: new Map(), ...common(schema) }
}

function listType(schema: JSONSchemaProps): Schema {
  const items = asSchema(schema.items)
  const keys = schema['x-kubernetes-list-map-keys']
  return {
    type: 'array',
    ...(items ? { items: typeOf(items) } : {}),
    listType: (schema['x-kubernetes-list-type'] as Schema['listType']) ?? 'atomic',
    ...(keys ? { listMapKeys: keys } : {}),
    ...common(schema),
  }
}

function common(schema: JSONSchemaProps): Omit<Schema, 'type'> {
  return {
    ...(schema['x-kubernetes-preserve-unknown-fields'] ? { preserveUnknownFields: true } : {}),
    ...(schema['x-kubernetes-map-type'] === 'atomic' ? { atomic: true } : {}),
    ...(schema.nullable ? { nullable: true } : {}),
    ...(schema.default === undefined || schema.default === null ? {} : { default: schema.default }),
  }
}
