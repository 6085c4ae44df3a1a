import type { Status } from '../generated/types.ts'
import { answered } from './answered.ts'

/** Several creations in one request, each by itself. */
export const batches = answered('Batch', 'batches', false, ['create'])

/** Creations in one batch, at most. */
export const maxBatchItems = 100

/** What is to be created: the object, and where it would be posted to alone. */
export interface BatchItem {
  path: string
  object: object
}

/** What became of one item: as it would have been answered alone, of what was created the name only. */
export interface BatchResult {
  code: number
  metadata?: { name?: string; namespace?: string; uid?: string; resourceVersion?: string }
  /** Why it was refused. */
  status?: Status
}
