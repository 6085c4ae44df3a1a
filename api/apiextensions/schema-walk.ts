import type { JSONSchemaProps, JsonValue } from '../generated/types.ts'

/** A schema held in a field that may also hold something else (`items`, `additionalProperties`, `dependencies`). */
export const asSchema = (value: JsonValue | undefined): JSONSchemaProps | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as unknown as JSONSchemaProps)
    : undefined

/** The list form of `items`, which is not supported. */
export const asSchemas = (value: JsonValue | undefined): JSONSchemaProps[] =>
  Array.isArray(value) ? value.flatMap((item) => asSchema(item) ?? []) : []

/** The schema of a named property. Names are the user's own: `constructor` is one like any other. */
export const propertyOf = (schema: JSONSchemaProps, name: string): JSONSchemaProps | undefined =>
  schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined

/** All schemas directly inside this one. */
export function* subschemas(schema: JSONSchemaProps): Generator<JSONSchemaProps> {
  for (const single of [asSchema(schema.items), schema.not, asSchema(schema.additionalProperties)]) {
    if (single) yield single
  }
  const additionalItems = asSchema(schema.additionalItems)
  if (additionalItems) yield additionalItems
  yield* asSchemas(schema.items)
  for (const list of [schema.allOf, schema.anyOf, schema.oneOf]) yield* list ?? []
  for (const map of [schema.properties, schema.patternProperties, schema.definitions]) yield* Object.values(map ?? {})
  for (const dependency of Object.values(schema.dependencies ?? {})) {
    const inner = asSchema(dependency)
    if (inner) yield inner
  }
}

/** Whether the schema or any inside it fits. */
export function someSchema(schema: JSONSchemaProps | undefined, fits: (schema: JSONSchemaProps) => boolean): boolean {
  if (!schema) return false
  if (fits(schema)) return true
  for (const inner of subschemas(schema)) if (someSchema(inner, fits)) return true
  return false
}
