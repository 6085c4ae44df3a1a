import type { AnyObject } from '../machinery/object.ts'
import type { FieldChange } from './object-changes.ts'

/** One version of an object, as the history of it tells. */
export interface ObjectVersion<T = AnyObject> {
  revision: string
  time?: string
  user?: string
  manager?: string
  subresource?: string
  operation: 'created' | 'updated' | 'deleted'
  changes: FieldChange[]
  object?: T
}
