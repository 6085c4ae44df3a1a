import type { Resource } from '../../api/machinery/resource.ts'
import type { Authorizer } from '../auth/types.ts'
import type { ServerClient } from '../registry/reader.ts'

/** What plugins are made from. */
export interface AdmissionContext {
  client: ServerClient
  lookup: (group: string, plural: string) => Resource
  /** Undefined: no kind of that name is served. */
  lookupKind: (group: string, kind: string) => Resource | undefined
  authorizer: Authorizer
  /** Milliseconds since the epoch. */
  now: () => number
  sleep: (ms: number) => Promise<void>
}
