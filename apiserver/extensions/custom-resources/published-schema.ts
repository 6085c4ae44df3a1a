import { asSchema } from '../../../api/apiextensions/schema-walk.ts'
import type { JSONSchemaProps } from '../../../api/generated/types.ts'
import type { PublishedSchema } from '../../../api/machinery/schema.ts'

type Json = Record<string, unknown>

/** How OpenAPI documents describe a custom resource: in v3 as its definition does, in v2 what that can say of it. */
export function publishedSchema(schema: JSONSchemaProps | undefined): PublishedSchema {
  return (version, meta) => {
    if (!schema) return { type: 'object' }
    const isV2 = version === 'v2'
    // Clients of v2 take fields that are named for the only ones there are.
    if (isV2 && schema['x-kubernetes-preserve-unknown-fields']) return { type: 'object' }
    const root = describe(schema, isV2, meta)
    return { ...root, properties: { ...(root.properties as Json | undefined), ...meta } }
  }
}

const junctors = ['allOf', 'anyOf', 'oneOf'] as const

function describe(schema: JSONSchemaProps, isV2: boolean, meta: Json): Json {
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true
  const { items, properties, additionalProperties, not, required, nullable, ...rest } = schema
  // Of a v2 value that may be null, or hold anything, nothing further can be said.
  const isOpen = isV2 && (keeps || nullable === true)
  const described: Json = { ...rest }
  for (const junctor of junctors) {
    delete described[junctor]
    const inner = schema[junctor]
    if (!isV2 && inner) described[junctor] = inner.map((each) => describe(each, isV2, meta))
  }
  if (not && !isV2) described.not = describe(not, isV2, meta)
  if (nullable && !isV2) described.nullable = true
  const itemSchema = asSchema(items)
  if (itemSchema && !isOpen) described.items = describe(itemSchema, isV2, meta)
  const others = asSchema(additionalProperties)
  if (others) described.additionalProperties = describe(others, isV2, meta)
  else if (additionalProperties !== undefined) described.additionalProperties = additionalProperties
  if (properties && !isOpen) {
    described.properties = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, describe(property, isV2, meta)]),
    )
  }
  const wanted = isV2 ? required?.filter((name) => !properties?.[name]?.nullable) : required
  if (wanted?.length) described.required = wanted
  if (isOpen && (nullable || schema.type === 'object' || schema.type === 'array')) delete described.type
  if (!isV2 && schema['x-kubernetes-int-or-string'] && !schema.anyOf) {
    described.anyOf = [{ type: 'integer' }, { type: 'string' }]
  }
  if (schema['x-kubernetes-embedded-resource'] && !isOpen) {
    described.properties = { ...(described.properties as Json | undefined), ...meta }
    described.required = [...new Set([...(wanted ?? []), 'kind', 'apiVersion'])]
  }
  return described
}
