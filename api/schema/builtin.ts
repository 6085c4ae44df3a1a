import rawSchemas from '../generated/schemas.json' with { type: 'json' }
import type { Schema } from '../machinery/schema.ts'

type RawSchema = Omit<Schema, 'properties' | 'items' | 'values' | 'name'> & {
  ref?: string
  items?: RawSchema
  values?: RawSchema
}
type RawDefinition = { properties: Record<string, RawSchema>; required?: string[]; atomic?: boolean }

const definitions = rawSchemas as unknown as Record<string, RawDefinition>
const resolved = new Map<string, Schema>()

/** The schema of a built-in type by its OpenAPI definition name: `io.k8s.api.apps.v1.Deployment`. Throws if unknown. */
export function builtinSchema(definition: string): Schema {
  const known = resolved.get(definition)
  if (known) return known
  const raw = definitions[definition]
  if (!raw) throw new Error(`no built-in type is called ${definition}`)
  const properties = new Map<string, Schema>()
  const schema: Schema = {
    type: 'object',
    name: definition,
    properties,
    ...(raw.required ? { required: raw.required } : {}),
    ...(raw.atomic ? { atomic: true } : {}),
  }
  // Known before its fields are: a type may hold itself.
  resolved.set(definition, schema)
  for (const [name, field] of Object.entries(raw.properties)) properties.set(name, resolve(field))
  return schema
}

function resolve({ ref, items, values, ...field }: RawSchema): Schema {
  if (ref) {
    const target = builtinSchema(ref)
    const { type: _, ...own } = field
    return Object.keys(own).length > 0 ? { ...target, ...own } : target
  }
  return { ...field, ...(items ? { items: resolve(items) } : {}), ...(values ? { values: resolve(values) } : {}) }
}

/** Names of all built-in definitions. */
export const builtinDefinitions = (): string[] => Object.keys(definitions)
