import type { ObjectMeta } from '../api/generated/types.ts'
import type { KubeObject } from '../api/machinery/object.ts'

/** An object as it comes from the server: it always has metadata with a name. */
export type Live<T> = Omit<T, 'metadata'> & KubeObject & { metadata: ObjectMeta & { name: string } }

/** Names one served resource and, to the compiler, the type of its objects. Made in `resources.ts`. */
export interface ResourceRef<T = unknown> {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Not every server has it: elsewhere it is a custom resource, which somebody may define later. */
  readonly optional?: boolean
  /** Never set: carries the type. */
  readonly of?: T
}

/** Which object: the namespace is left out for cluster-scoped kinds. */
export interface Key {
  namespace?: string | undefined
  name: string
}

export interface GetOptions {
  resourceVersion?: string
  /** Only apiVersion, kind and metadata. */
  metadataOnly?: boolean
  /** Reads this part of the object instead: `scale`. */
  subresource?: string
  signal?: AbortSignal
}

/** A kind that the server serves, in the version it prefers. */
export interface ServedResource extends ResourceRef {
  readonly verbs: readonly string[]
}

export interface ListOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  limit?: number
  continue?: string
  resourceVersion?: string
  resourceVersionMatch?: 'Exact' | 'NotOlderThan'
  /** Only apiVersion, kind and metadata of each object. */
  metadataOnly?: boolean
  signal?: AbortSignal
}

export interface ObjectList<T> {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  items: Live<T>[]
}

export interface WatchOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  resourceVersion?: string
  allowWatchBookmarks?: boolean
  sendInitialEvents?: boolean
  timeoutSeconds?: number
  /** Only apiVersion, kind and metadata of each object. */
  metadataOnly?: boolean
  signal?: AbortSignal
}

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: Live<T> }
  | { type: 'BOOKMARK'; object: { metadata: { resourceVersion: string; annotations?: Record<string, string> } } }

export interface WriteOptions {
  subresource?: string
  fieldManager?: string
  dryRun?: boolean
  signal?: AbortSignal
}

/** What can be submitted: an object of the kind, or what its subresource takes. */
export type Submittable = object & { metadata?: ObjectMeta }

export interface SubmitOptions {
  subresource?: string
  background?: boolean
}

/** What was created by a `submit`; nothing where it was posted to a subresource. */
export type Submitted = Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'resourceVersion'>

export interface DeleteOptions {
  gracePeriodSeconds?: number
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  preconditions?: { uid?: string; resourceVersion?: string }
  dryRun?: boolean
  signal?: AbortSignal
}

export type Patch =
  | { type: 'json'; body: readonly object[] }
  | { type: 'merge' | 'strategic'; body: object }
  | { type: 'apply'; body: object; force?: boolean }

/**
 * What a component may ask of a Kubernetes API server. `Client` does it over HTTPS; `MemoryApi` in
 * `testing/memory-api.ts` does it in memory for unit tests. Every refusal is a `StatusError` of api/machinery.
 */
export interface Api {
  get<T>(ref: ResourceRef<T>, key: Key, options?: GetOptions): Promise<Live<T>>
  list<T>(ref: ResourceRef<T>, options?: ListOptions): Promise<ObjectList<T>>
  /** Ends when the server ends it or the signal fires; a 410 in the stream is thrown as a `StatusError` with code 410. */
  watch<T>(ref: ResourceRef<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>
  /** The namespace is `object.metadata.namespace`. With `subresource`, posts to it: binding, eviction, token. */
  create<T>(ref: ResourceRef<T>, object: T, options?: WriteOptions): Promise<Live<T>>
  /** Refused with Conflict unless `metadata.resourceVersion` is current. `subresource: 'status'` writes status only. */
  update<T>(ref: ResourceRef<T>, object: T, options?: WriteOptions): Promise<Live<T>>
  patch<T>(ref: ResourceRef<T>, key: Key, patch: Patch, options?: WriteOptions): Promise<Live<T>>
  delete<T>(ref: ResourceRef<T>, key: Key, options?: DeleteOptions): Promise<void>
  deleteCollection<T>(ref: ResourceRef<T>, selection: ListOptions, options?: DeleteOptions): Promise<void>
  /** POST of `body` to a subresource of the object, such as `binding`, `eviction`, `token`; answers what the server sends. */
  post<R>(ref: ResourceRef, key: Key, subresource: string, body: object, options?: WriteOptions): Promise<R>
  /**
   * Creates the object, or with `subresource` posts it to that of the object it names, as `create` and `post` do, for those
   * who need no more of the answer than what it says here: many that come together may travel as one. In the background it
   * lets others go first, for some seconds at most.
   */
  submit(ref: ResourceRef, object: Submittable, options?: SubmitOptions): Promise<Submitted>
  /** GET of a path that is no object of a kind, such as a metric of a pod. */
  read<R>(path: string, options?: { query?: Record<string, string>; signal?: AbortSignal }): Promise<R>
  /** All kinds served now, without subresources. `incomplete` names the groups that could not be asked. */
  discover(signal?: AbortSignal): Promise<{ resources: ServedResource[]; incomplete: string[] }>
}

/** Time, passed in: a test's clock stands still until it is moved. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
