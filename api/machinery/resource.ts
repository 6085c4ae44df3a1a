import type { FieldError } from './field-errors.ts'
import type { AnyObject, KubeObject } from './object.ts'
import type { Schema } from './schema.ts'

/** One column of a server-side table (`kubectl get`). */
export interface Column<T = AnyObject> {
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  format?: string
  description?: string
  /** 0 shows always; 1, with `-o wide`. */
  priority?: number
  /** The cell; `nowMs` is the server's clock, for ages. */
  value: (object: T, nowMs: number) => string | number | boolean | null
}

/** What a strategy or a validation may know besides the object. */
export interface RequestContext {
  nowMs: number
  user: {
    name: string
    groups: readonly string[]
    uid?: string
    extra?: Readonly<Record<string, readonly string[]>>
  }
  /** The subresource being written, or ''. */
  subresource: string
  dryRun: boolean
  /** The version the writer speaks, `events.k8s.io/v1`, where a kind is served in several. Default: the storage version. */
  apiVersion?: string
}

/** How updates of a kind behave. Every hook may change the object handed to it. */
export interface Strategy<T> {
  /** There is a status subresource: creates and updates of the object itself cannot touch status, and reverse. */
  status?: boolean
  /** A create may bring its status along (Node). */
  statusOnCreate?: boolean
  /**
   * Which changes raise metadata.generation: of `spec`, of anything `outsideMetadata` (kinds without a spec, status
   * excepted), of anything outside it `andStatus` too (status is no subresource), or never. Default: never.
   */
  generation?: 'spec' | 'outsideMetadata' | 'outsideMetadataAndStatus'
  /** PUT on a name that does not exist creates it (Lease, Event, Endpoints, … as upstream). Default false. */
  createOnUpdate?: boolean
  /** Updates need no resourceVersion. Default true where upstream allows it; false for the few that refuse. */
  unconditionalUpdate?: boolean
  /** After defaults, before validation of a create: clear what only the server may set, allocate nothing. */
  prepareForCreate?: (object: T, ctx: RequestContext) => void
  /** After defaults, before validation of an update of the object itself. */
  prepareForUpdate?: (object: T, old: T, ctx: RequestContext) => void
  /** The same for the status subresource. The generic part (spec and metadata kept from old) has been done. */
  prepareForStatusUpdate?: (object: T, old: T, ctx: RequestContext) => void
  /** Seconds a graceful delete of this object takes by default; absent: no graceful deletion (only pods have it). */
  gracefulDeletion?: (object: T, requested: number | undefined) => number
  /** Finalizers the server adds at creation (upstream puts them in admission or strategy). */
  finalizers?: readonly string[]
  /** A delete answers with the object as it was, not with a Status. */
  returnDeleted?: boolean
  /** What propagation a delete without one gets. Default 'Background'. */
  defaultPropagation?: 'Background' | 'Orphan'
}

/** Paths of the scale subresource, in the object: `spec.replicas`. */
export interface ScalePaths {
  specReplicas: string
  statusReplicas: string
  /** Absent: the scale shows no selector. A LabelSelector object or a plain map; printed as a selector string. */
  selector?: string
  /** A new count must pass the kind's own validation: nothing else is known of what the paths lead to. */
  validates?: boolean
}

/** Validation of `object`; `old` is there on updates. Returns every fault found. */
export type Validate<T> = (object: T, old: T | undefined, ctx: RequestContext) => FieldError[]

/** Another served version of the same stored object. */
export interface ServedVersion {
  version: string
  group: string
  schema: Schema
  /** From the storage form to this version's. May reuse parts; must not change its argument. */
  fromStorage: (object: AnyObject) => AnyObject
  toStorage: (object: AnyObject) => AnyObject
  /** Defaults particular to this version; absent: the resource's own run after toStorage. */
  defaults?: (object: AnyObject) => void
  columns?: readonly Column<AnyObject>[]
  /** What everybody who uses this version is told. */
  deprecation?: string
  /** Subresources that the kind has and this version of it has not. */
  lacks?: readonly Part[]
}

/** The subresources that any kind may have, and that all have alike. */
type Part = 'status' | 'scale'

/** Whether a version of a kind has one of them. */
export const hasPart = ({ strategy, scale, versions }: Resource, version: string, part: Part): boolean =>
  (part === 'status' ? strategy.status === true : scale !== undefined) &&
  !versions.some((served) => served.version === version && served.lacks?.includes(part))

export interface ResourceSpec<T extends KubeObject> {
  group: string
  version: string
  kind: string
  plural: string
  /** Default: the kind and `List`. */
  listKind?: string
  /** Default: the kind in lower case. */
  singular?: string
  shortNames?: readonly string[]
  categories?: readonly string[]
  namespaced: boolean
  /** Where the objects lie under the store's prefix. Default `/<plural>`; upstream has a few of its own. */
  storagePrefix?: string
  schema: Schema
  /** Fill in what the user may leave out. Runs on every decode, of stored objects too, and must be idempotent. */
  defaults?: (object: T) => void
  validate?: Validate<T>
  /** Validation of a write to the status subresource. */
  validateStatus?: Validate<T>
  /** Warning headers on create and update, as upstream's. */
  warnings?: (object: T, old: T | undefined) => string[]
  strategy?: Strategy<T>
  columns?: readonly Column<T>[]
  /** Field selectors beyond metadata.name and metadata.namespace. */
  selectableFields?: Record<string, (object: T) => string>
  scale?: ScalePaths
  /** How names are checked; default DNS subdomain. Returns upstream's messages. */
  validateName?: (name: string, prefix: boolean) => string[]
  /** Verbs served. Default: all eight. */
  verbs?: readonly Verb[]
  /**
   * Time to live in seconds, kept by a store lease (events). Absent: for ever.
   */
  ttlSeconds?: number
  versions?: readonly ServedVersion[]
  /** Objects are stored in the resource's own version, which is not served itself. */
  isStoredOnly?: boolean
  /** What everybody who uses the resource's own version is told. */
  deprecation?: string
  /** Strategic merge patches are refused: the types know no merge keys. */
  refusesStrategicMerge?: boolean
  /**
   * Brings an object into the form it is served in, of those that lie in the store in another: written in another version,
   * or before the schema changed. May change its argument. Absent: all lie there as they are served.
   */
  fromStore?: (object: AnyObject) => AnyObject
  /**
   * Brings objects into a version, by asking somebody outside, where only that one can. What is in it already comes back as
   * it is. The cache then holds each in the version it was written in. Absent: versions are made of each other here.
   */
  convert?: (objects: readonly AnyObject[], apiVersion: string) => Promise<AnyObject[]>
  /** Extra subresources that have a behaviour of their own; listed here so that discovery can show them. */
  subresources?: readonly SubresourceInfo[]
}

export interface SubresourceInfo {
  name: string
  kind: string
  group?: string
  version?: string
  verbs: readonly string[]
}

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'
export const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

/** A kind, complete: every optional part decided. */
// biome-ignore lint/suspicious/noExplicitAny: a registry holds kinds of every object type
export interface Resource<T extends KubeObject = any> extends ResourceSpec<T> {
  listKind: string
  singular: string
  shortNames: readonly string[]
  categories: readonly string[]
  storagePrefix: string
  verbs: readonly Verb[]
  strategy: Strategy<T>
  versions: readonly ServedVersion[]
  subresources: readonly SubresourceInfo[]
}

/**
 * Makes a kind from its description. Served paths, discovery, OpenAPI, tables, selectors, validation, watch, patch and
 * dry-run all follow from the value.
 */
export function defineResource<T extends KubeObject>(spec: ResourceSpec<T>): Resource<T> {
  return {
    ...spec,
    listKind: spec.listKind ?? `${spec.kind}List`,
    singular: spec.singular ?? spec.kind.toLowerCase(),
    shortNames: spec.shortNames ?? [],
    categories: spec.categories ?? [],
    storagePrefix: spec.storagePrefix ?? `/${spec.plural}`,
    verbs: spec.verbs ?? allVerbs,
    strategy: spec.strategy ?? {},
    versions: spec.versions ?? [],
    subresources: spec.subresources ?? [],
  }
}
