import type { FieldError } from '../../api/machinery/field-errors.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import type { AdmissionChain } from '../admission/chain.ts'
import type { UserInfo } from '../auth/types.ts'
import type { Author, Change, Revision, Store } from '../storage/store.ts'
import type { AmendingCommitter, Amendment } from './amendments.ts'
import type { StoreFeed } from './feed.ts'

/** How one write is made, whoever makes it. */
export interface WriteOptions {
  user: UserInfo
  nowMs: number
  dryRun: boolean
  /** Recorded in managedFields. */
  fieldManager: string
  /** apiVersion the writer speaks, recorded in managedFields. Default: the storage version. */
  apiVersion?: string
  subresource?: string
  warn: (message: string) => void
  /** The writer records ownership itself, called last: server-side apply, and writes that own nothing. */
  track?: (object: AnyObject, old: AnyObject | undefined) => void
  /** A write with rules of its own instead of the kind's: a binding, an eviction, a subresource that owns one field. */
  rules?: WriteRules
  /** What was asked for has passed admission as an object of its own, which this write carries out. */
  isAdmitted?: boolean
}

export interface WriteRules {
  /** The object to write, from what was sent and what stands. Both may be reused. */
  merge?: (object: AnyObject, old: AnyObject, nowMs: number) => AnyObject
  validate?: (object: AnyObject, old: AnyObject) => FieldError[]
  /** The kind's own validation counts too. */
  validatesKind?: boolean
  /** The generation rises when the spec changes. */
  generation?: boolean
}

/** Who makes it, as the store's history keeps it. */
export const authorOf = ({
  user,
  fieldManager,
  subresource,
}: Omit<WriteOptions, 'warn' | 'nowMs' | 'dryRun'>): Author => ({
  user: user.name,
  manager: fieldManager,
  ...(subresource ? { subresource } : {}),
})

/** What a write left in the store. */
export interface Written {
  object: AnyObject
  /** The object as bytes to send, storage version. */
  bytes: Buffer
  outcome: 'created' | 'updated' | 'unchanged' | 'deleted' | 'marked'
}

/** Everything decided about a write, before the store is asked. Several can be committed together. */
export interface PreparedWrite {
  resource: Resource
  key: string
  /** Empty: nothing to write. */
  changes: Change[]
  /** What it changes of other objects, decided when it is committed. */
  amendments: readonly Amendment[]
  /** The answer, once the revision is known. */
  finish: (revision: Revision) => Written
}

/** What a kind does beyond its own object, in the same commit: addresses and ports that a service takes, say. */
export interface RegistryHooks {
  /** May change `object`; the changes are committed with it. Called again when they conflict. */
  allocate?: (object: AnyObject, old: AnyObject | undefined, options: WriteOptions) => Promise<Change[]>
  /** Changes committed with the removal of the object. */
  release?: (object: AnyObject) => Promise<Change[]>
  /** The object must stay although nothing in its metadata holds it (a namespace with finalizers in its spec). */
  holdsDeletion?: (object: AnyObject) => boolean
  /** Called on the object that a delete marks. */
  markDeleting?: (object: AnyObject) => void
}

export interface RegistryDependencies {
  store: Store
  committer: AmendingCommitter
  feed: StoreFeed
  admission: AdmissionChain
}
