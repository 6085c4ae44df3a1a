/** A schema of OpenAPI v3, as far as fields are told from it. */
export interface Schema {
  type?: string
  format?: string
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: Schema | boolean
  allOf?: Schema[]
  oneOf?: Schema[]
  enum?: unknown[]
  $ref?: string
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[]
}

export type Schemas = Readonly<Record<string, Schema>>

const nameOf = (ref: string): string => ref.split('/').at(-1) ?? ref
const refOf = ({ $ref, allOf }: Schema): string | undefined => $ref ?? allOf?.find((one) => one.$ref)?.$ref

/** What is said of a field, and of the kind that it, or its list or map, holds. */
export function descriptionsOf(schema: Schema, schemas: Schemas): string[] {
  const { items, additionalProperties, description } = schema
  const inner = items ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
  const ref = refOf(inner ?? schema)
  return [description, ref && schemas[nameOf(ref)]?.description].filter((text) => text) as string[]
}

/** What a schema stands for: references are followed, its own description kept. */
export function resolved(schema: Schema, schemas: Schemas): Schema {
  const ref = refOf(schema)
  const target = ref ? schemas[nameOf(ref)] : undefined
  return target
    ? { ...resolved(target, schemas), ...(schema.description ? { description: schema.description } : {}) }
    : schema
}

/** The schema of what a list or a map holds, else of the value itself. */
export function elementOf(schema: Schema, schemas: Schemas): Schema {
  const whole = resolved(schema, schemas)
  if (whole.items) return elementOf(whole.items, schemas)
  if (typeof whole.additionalProperties === 'object') return elementOf(whole.additionalProperties, schemas)
  return whole
}

/** `[]Container`, `map[string]string`, `integer`. */
export function typeName(schema: Schema, schemas: Schemas): string {
  const ref = refOf(schema)
  if (ref) {
    const target = schemas[nameOf(ref)]
    if (target?.['x-kubernetes-int-or-string'] || target?.oneOf) return nameOf(ref).split('.').at(-1) ?? ''
    if (target && !target.properties && target.type && target.type !== 'object') return typeName(target, schemas)
    return nameOf(ref).split('.').at(-1) ?? ''
  }
  if (schema.items) return `[]${typeName(schema.items, schemas)}`
  if (typeof schema.additionalProperties === 'object')
    return `map[string]${typeName(schema.additionalProperties, schemas)}`
  return schema.type === 'object' ? 'Object' : (schema.type ?? 'Object')
}
