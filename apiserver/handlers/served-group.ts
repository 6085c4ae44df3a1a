import type { Scope } from './context.ts'

/**
 * A group and version served as a whole: its resources are no kinds but names, out of some configuration or out of another
 * server's mouth.
 */
export interface ServedGroup {
  group: string
  version: string
  /** For discovery. */
  resources: readonly NamedResource[]
  /** Answers a request for any resource in it, or throws. Who asks has been authorized. */
  handle(request: GroupRequest): Promise<void>
}

export interface NamedResource {
  /** `queue_length`; `pods/hits` where it is one of an object. */
  name: string
  namespaced: boolean
  kind: string
  verbs: readonly string[]
  singularName?: string
  shortNames?: readonly string[]
  categories?: readonly string[]
}

/** One request on its way to it. */
export type GroupRequest = Omit<Scope, 'endpoint'>
