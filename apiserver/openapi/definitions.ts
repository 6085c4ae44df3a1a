import type { Schema } from '../../api/machinery/schema.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'

/** A JSON document under construction. */
export type Json = Record<string, unknown>

/** Prose by definition and field; the type's own under the empty name. */
export type Descriptions = Record<string, Record<string, string | undefined>>

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const intOrString = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'

/** Types that are scalars on the wire, and yet have a name. */
const named: Record<string, Json> = {
  [`${meta}.Time`]: {
    description: 'A point in time, written as RFC 3339 in whole seconds.',
    type: 'string',
    format: 'date-time',
  },
  [`${meta}.MicroTime`]: {
    description: 'A point in time, written as RFC 3339 in microseconds.',
    type: 'string',
    format: 'date-time',
  },
  [quantity]: {
    description:
      'An amount: a decimal number with an optional suffix. n, u, m, k, M, G, T, P and E are powers of 1000, Ki, Mi, Gi, Ti, Pi and Ei powers of 1024; an exponent such as e3 is allowed instead. Amounts finer than one billionth are rounded up.',
  },
  [intOrString]: {
    description: 'A whole number, or a string (a name or a percentage, as the field says).',
    format: 'int-or-string',
  },
  [`${meta}.FieldsV1`]: {
    description:
      'A set of fields, as a trie: f:<name> is a field, k:<keys> a list item by its keys, v:<value> by its value.',
    type: 'object',
  },
}

/** How a document refers to a definition: the forms of OpenAPI v2 and v3 differ. */
export interface Dialect {
  version: 'v2' | 'v3'
  ref: (name: string) => string
  /** v3 may put further words beside a reference by wrapping it. */
  wrapRefs: boolean
}

export const v2Dialect: Dialect = { version: 'v2', ref: (name) => `#/definitions/${name}`, wrapRefs: false }
export const v3Dialect: Dialect = { version: 'v3', ref: (name) => `#/components/schemas/${name}`, wrapRefs: true }

/** Collects the definitions that types lead to, each once. */
export class Definitions {
  readonly all: Record<string, Json> = {}
  readonly #dialect: Dialect
  readonly #descriptions: Descriptions
  readonly #kinds: ReadonlyMap<string, readonly Json[]>

  /** `kinds` names the group, version and kind of the definitions that are kinds. */
  constructor(dialect: Dialect, descriptions: Descriptions, kinds: ReadonlyMap<string, readonly Json[]>) {
    this.#dialect = dialect
    this.#descriptions = descriptions
    this.#kinds = kinds
  }

  /** A reference to a type, which is added with all it leads to. */
  reference(schema: Schema): Json {
    const name = schema.name
    if (!name) return this.#inline(schema)
    this.#add(name, schema)
    return { $ref: this.#dialect.ref(name) }
  }

  /** A reference to a type by a name of ours; `make` gives its body once. */
  named(name: string, make: () => Json): Json {
    if (!this.all[name]) {
      this.all[name] = {}
      this.all[name] = { ...make(), ...this.#kindsOf(name) }
    }
    return { $ref: this.#dialect.ref(name) }
  }

  #kindsOf(name: string): Json {
    const kinds = this.#kinds.get(name)
    return kinds ? { 'x-kubernetes-group-version-kind': kinds } : {}
  }

  #add(name: string, schema: Schema): void {
    if (this.all[name]) return
    this.all[name] = {}
    if (schema.openapi) {
      this.all[name] = { ...schema.openapi(this.#dialect.version, this.#resourceFields()), ...this.#kindsOf(name) }
      return
    }
    const prose = this.#descriptions[name] ?? {}
    const properties: Json = {}
    for (const [field, property] of schema.properties ?? []) {
      // A field that says nothing of itself is described by its type.
      const description = prose[field] ?? this.#descriptions[property.name ?? '']?.['']
      properties[field] = this.#property(property, description)
    }
    this.all[name] = {
      ...(prose[''] ? { description: prose[''] } : {}),
      type: 'object',
      ...(Object.keys(properties).length > 0 ? { properties } : {}),
      ...(schema.required ? { required: schema.required } : {}),
      ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      ...this.#kindsOf(name),
    }
  }

  /** The fields that every object has, described as they are in every object. */
  #resourceFields(): Json {
    const prose = this.#descriptions['io.k8s.api.core.v1.ConfigMap'] ?? {}
    const ofMetadata = "Standard object's metadata: its name, labels and owners, and what the server keeps of it."
    const text = { type: 'string' } as const
    const metadata = this.#property(builtinSchema(`${meta}.ObjectMeta`), ofMetadata)
    return {
      apiVersion: this.#property(text, prose.apiVersion),
      kind: this.#property(text, prose.kind),
      metadata,
    }
  }

  #property(schema: Schema, description: string | undefined): Json {
    const body = this.#inline(schema)
    const extras: Json = {
      ...(description ? { description } : {}),
      ...(schema.default === undefined ? {} : { default: schema.default }),
      ...(schema.listType ? { 'x-kubernetes-list-type': schema.listType } : {}),
      ...(schema.listMapKeys ? { 'x-kubernetes-list-map-keys': schema.listMapKeys } : {}),
      ...(schema.patchStrategy ? { 'x-kubernetes-patch-strategy': schema.patchStrategy } : {}),
      ...(schema.patchMergeKey ? { 'x-kubernetes-patch-merge-key': schema.patchMergeKey } : {}),
      ...(schema.type === 'map' && schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    }
    if (!('$ref' in body)) return { ...extras, ...body }
    if (Object.keys(extras).length === 0) return body
    return this.#dialect.wrapRefs ? { ...extras, allOf: [body] } : { ...extras, ...body }
  }

  #inline(schema: Schema): Json {
    switch (schema.type) {
      case 'object':
        return schema.name ? this.reference(schema) : this.#anonymous(schema)
      case 'map':
        return { type: 'object', additionalProperties: this.#inline(schema.values as Schema) }
      case 'array':
        return { type: 'array', items: this.#inline(schema.items as Schema) }
      case 'string':
      case 'boolean':
        return { type: schema.type }
      case 'number':
        return { type: 'number', format: 'double' }
      case 'integer':
        return { type: 'integer', format: schema.format ?? 'int64' }
      case 'bytes':
        return { type: 'string', format: 'byte' }
      case 'quantity':
        return this.#scalar(quantity, { type: 'string' })
      case 'intOrString':
        return this.#scalar(intOrString, { type: 'string' })
      case 'time':
        return this.#scalar(`${meta}.Time`, {})
      case 'microTime':
        return this.#scalar(`${meta}.MicroTime`, {})
      case 'any':
        return { type: 'object' }
    }
  }

  #anonymous(schema: Schema): Json {
    const properties: Json = {}
    for (const [field, property] of schema.properties ?? []) properties[field] = this.#property(property, undefined)
    return {
      type: 'object',
      ...(schema.properties ? { properties } : {}),
      ...(schema.required ? { required: schema.required } : {}),
    }
  }

  /** v3 can say "a string or a number"; v2 has to choose. */
  #scalar(name: string, v2Type: Json): Json {
    const either = name === quantity || name === intOrString
    const v3Type = either ? { oneOf: [{ type: 'string' }, { type: name === quantity ? 'number' : 'integer' }] } : {}
    return this.named(name, () => ({ ...named[name], ...(this.#dialect.wrapRefs ? v3Type : v2Type) }))
  }
}
