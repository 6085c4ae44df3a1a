import type { AnyObject } from '../../api/machinery/object.ts'
import { jsonText, sorted } from '../print/documents.ts'

/** Where it is remembered what was asked for the last time. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** The object as it is to be, with an annotation that remembers what was asked for. */
export function withLastApplied(object: AnyObject): AnyObject {
  const { [lastAppliedAnnotation]: _, ...annotations } = object.metadata.annotations ?? {}
  const bare = { ...object, metadata: { ...object.metadata, annotations } }
  const text = `${jsonText(sorted(bare))}\n`
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [lastAppliedAnnotation]: text } } }
}

/** The patch after which an object remembers that this was asked for. */
export const rememberingPatch = (asked: AnyObject): object => ({
  metadata: { annotations: { [lastAppliedAnnotation]: jsonText(sorted(asked)) } },
})

/** What was asked for the last time; undefined for an object that was made otherwise. */
export function lastApplied(object: AnyObject): AnyObject | undefined {
  const text = object.metadata.annotations?.[lastAppliedAnnotation]
  return text ? (JSON.parse(text) as AnyObject) : undefined
}
