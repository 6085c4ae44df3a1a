import type { ListMeta, ObjectMeta } from '../generated/types.ts'

/** Any object of the API once decoded: always with metadata. */
export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
}

/** A generated type as the server holds it: metadata is always there. */
export type Stored<T> = Omit<T, 'metadata'> & KubeObject

/** An object whose kind is not known to the compiler. */
export interface AnyObject extends KubeObject {
  [field: string]: unknown
}

export interface KubeList<T = AnyObject> {
  apiVersion: string
  kind: string
  metadata: ListMeta
  items: T[]
}

export interface GroupVersionKind {
  group: string
  version: string
  kind: string
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`
}

/** The reverse of {@link apiVersionOf}. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}
