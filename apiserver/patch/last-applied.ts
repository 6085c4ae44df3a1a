import type { AnyObject } from '../../api/machinery/object.ts'
import { isObject } from '../../api/patch/json.ts'
import { compare } from './compare.ts'
import { difference, type FieldSet } from './field-set.ts'
import { fieldsOf } from './owned-fields.ts'
import { type Type, TypeFault } from './typed.ts'
import { validateTyped } from './typed-validate.ts'

/**
 * The annotation in which a client-side `kubectl apply` keeps what it applied last, and the one manager name for which
 * the server moves from it to server-side apply without conflicts.
 */
const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
export const kubectlManager = 'kubectl'
const maxAnnotationsBytes = 256 * 1024

const lastAppliedOf = ({ metadata }: AnyObject): string | undefined => metadata.annotations?.[annotation] || undefined

/**
 * The fields that client-side apply has set and that nobody has changed since: kubectl may take them over. Undefined
 * if the annotation does not tell.
 */
export function ownedByClientSideApply(live: AnyObject, type: Type, apiVersion: string): FieldSet | undefined {
  const text = lastAppliedOf(live)
  if (!text) return undefined
  try {
    const applied: unknown = JSON.parse(text)
    if (!isObject(applied) || applied.apiVersion !== apiVersion) return undefined
    validateTyped(type, applied)
    validateTyped(type, live)
    const { changed, removed } = compare(type, applied, live)
    return difference(difference(fieldsOf(type, applied), changed), removed)
  } catch (error) {
    if (error instanceof TypeFault || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Keeps the annotation, where there is one, in step with what kubectl applies, so that it can go back at any time. */
export function updateLastApplied(object: AnyObject, applied: AnyObject): void {
  if (!lastAppliedOf(object)) return
  const configuration = { ...applied, metadata: { ...applied.metadata } }
  if (configuration.metadata.annotations) {
    const { [annotation]: _, ...rest } = configuration.metadata.annotations
    configuration.metadata.annotations = rest
  }
  const annotations = { ...object.metadata.annotations, [annotation]: `${canonicalJson(configuration)}\n` }
  let bytes = 0
  for (const [name, value] of Object.entries(annotations)) bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  if (bytes > maxAnnotationsBytes) delete (annotations as Record<string, string>)[annotation]
  object.metadata.annotations = annotations
}

/** JSON with sorted keys and the escapes of upstream's encoder. */
function canonicalJson(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  )
  return text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
