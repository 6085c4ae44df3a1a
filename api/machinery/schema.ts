/**
 * The structure of an object, as decoding, defaulting of declared defaults, patches, managed fields and OpenAPI need
 * it. Built-in types and custom resources use the same form. References are resolved: a recursive type holds itself.
 */
export interface Schema {
  readonly type:
    | 'object'
    | 'array'
    | 'map'
    | 'string'
    | 'integer'
    | 'number'
    | 'boolean'
    /** A Kubernetes quantity: `100m`, `1Gi`. On the wire a string (a number is accepted). */
    | 'quantity'
    | 'intOrString'
    /** RFC 3339 in seconds. */
    | 'time'
    /** RFC 3339 in microseconds. */
    | 'microTime'
    /** Base64. */
    | 'bytes'
    /** Anything: kept as it came. */
    | 'any'
  /** Definition name of a named type: `io.k8s.api.core.v1.PodSpec`. */
  readonly name?: string
  readonly format?: string
  /** Of an object. */
  readonly properties?: ReadonlyMap<string, Schema>
  readonly required?: readonly string[]
  /** An object that keeps fields it does not name (custom resources). */
  readonly preserveUnknownFields?: boolean
  /** Of an array. */
  readonly items?: Schema
  readonly listType?: 'atomic' | 'set' | 'map'
  readonly listMapKeys?: readonly string[]
  /** Of a map. */
  readonly values?: Schema
  /** Server-side apply owns the object or map as a whole. */
  readonly atomic?: boolean
  readonly patchStrategy?: string
  readonly patchMergeKey?: string
  readonly default?: unknown
  readonly nullable?: boolean
  /** An optional scalar or list that upstream's form leaves out when it is empty, whoever wrote it. */
  readonly omitsEmpty?: boolean
  /**
   * How whole objects of the type are brought into form, where that is not by structure alone: custom resources, whose
   * types are checked by validation. Changes nothing of its argument; tells the paths of unknown fields if it is to.
   */
  readonly decode?: (value: Record<string, unknown>, unknown: string[] | undefined) => Record<string, unknown>
  /** What OpenAPI documents say of the type instead of its structure. */
  readonly openapi?: PublishedSchema
}

/** The body of a definition; `meta` are the properties that every object has. */
export type PublishedSchema = (version: 'v2' | 'v3', meta: Record<string, unknown>) => Record<string, unknown>
