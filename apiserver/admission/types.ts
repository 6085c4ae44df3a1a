import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import type { UserInfo } from '../auth/types.ts'
import type { Amendment } from '../registry/amendments.ts'

/** One write on its way into the store, as admission sees it. */
export interface AdmissionAttributes {
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  resource: Resource
  subresource: string
  namespace: string
  name: string
  /** The new object (storage version, defaulted); absent on DELETE. A mutating plugin changes it in place. */
  object?: AnyObject
  /** The object as stored; on UPDATE and DELETE. Never to be changed. */
  old?: AnyObject
  user: UserInfo
  dryRun: boolean
  /** The version the request speaks; absent: the storage version. */
  apiVersion?: string
  /** Of `object`, where a subresource has a kind of its own (PodAttachOptions, Binding). */
  kind?: { group: string; version: string; kind: string }
  /** Adds a Warning header to the answer. */
  warn(message: string): void
  /** Lets the write change another object in the same commit. Absent where nothing is committed. */
  amend?(amendment: Amendment): void
  /** Somebody outside changed the object: the plugins that ran before look at it once more. */
  reinvoke?: boolean
}

/**
 * One admission plugin, by upstream's name. `admit` may change the object and runs before validation; `validate` may
 * only refuse and runs after it. Both refuse by throwing a StatusError.
 */
export interface AdmissionPlugin {
  name: string
  /** Asked first, and cheap: whether this plugin has anything to do with such a request. */
  handles(attributes: AdmissionAttributes): boolean
  admit?(attributes: AdmissionAttributes): void | Promise<void>
  validate?(attributes: AdmissionAttributes): void | Promise<void>
}
