// What gantry/testing looks like to those who use it; cluster/testing/types.test.ts holds it to what it is.

export interface ResourceRef<T = unknown> {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Never set: carries the type. */
  readonly of?: T
}

export interface ObjectMeta {
  name?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  creationTimestamp?: string
  deletionTimestamp?: string
  finalizers?: string[]
}

export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
}

export interface Key {
  namespace?: string | undefined
  name: string
}

export interface Selection {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  resourceVersion?: string
  signal?: AbortSignal
}

export type Patch =
  | { type: 'json'; body: readonly object[] }
  | { type: 'merge' | 'strategic'; body: object }
  | { type: 'apply'; body: object; force?: boolean }

export interface WriteOptions {
  subresource?: string
  fieldManager?: string
  dryRun?: boolean
}

/** An administrator's client. Refusals are errors with the code and reason of the server's Status. */
export interface Client {
  get(ref: ResourceRef, key: Key): Promise<KubeObject>
  list(ref: ResourceRef, selection?: Selection): Promise<{ items: KubeObject[] }>
  watch(ref: ResourceRef, selection: Selection): AsyncIterable<{ type: string; object: object }>
  create(ref: ResourceRef, object: object, options?: WriteOptions): Promise<KubeObject>
  update(ref: ResourceRef, object: object, options?: WriteOptions): Promise<KubeObject>
  patch(ref: ResourceRef, key: Key, patch: Patch, options?: WriteOptions): Promise<KubeObject>
  delete(ref: ResourceRef, key: Key, options?: { gracePeriodSeconds?: number }): Promise<void>
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Time that stands still until a test moves it. */
export declare class FakeClock implements Clock {
  constructor(startMs?: number)
  now(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  advance(ms: number): Promise<void>
}

export interface ClusterOptions {
  /** Run the controllers: all, or those of these names. Default: none. */
  controllers?: boolean | readonly string[]
  /** So many nodes that run nothing and say of each pod that it does; with them, and only then, a scheduler. Default none. */
  nodes?: number
  /** Whose time the API server and the controllers live in. Default: the system's. */
  clock?: Clock
  /** Further flags of the API server. */
  flags?: readonly string[]
}

export interface TestCluster {
  url: string
  /** Path of an administrator's kubeconfig. */
  kubeconfig: string
  client: Client
  stop(): Promise<void>
}

/** Starts a control plane inside this process, on a free port of the loopback, with its store in a temporary directory. */
export declare function startCluster(options?: ClusterOptions): Promise<TestCluster>

/** The built-in kinds, for the client: `resources.pods`. */
export declare const resources: Record<string, ResourceRef | unknown>
