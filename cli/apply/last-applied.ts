import type { AnyObject } from '../../api/machinery/object.ts'
import { sorted } from '../print/documents.ts'

const annotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** The object as it is to be, with an annotation that remembers what was asked for. */
export function withLastApplied(object: AnyObject): AnyObject {
  const { [annotation]: _, ...annotations } = object.metadata.annotations ?? {}
  const bare = { ...object, metadata: { ...object.metadata, annotations } }
  const text = `${JSON.stringify(sorted(bare))}\n`
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [annotation]: text } } }
}

/** What was asked for the last time; undefined for an object that was made otherwise. */
export function lastApplied(object: AnyObject): AnyObject | undefined {
  const text = object.metadata.annotations?.[annotation]
  return text ? (JSON.parse(text) as AnyObject) : undefined
}
