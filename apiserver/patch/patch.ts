import type { AnyObject } from '../../api/machinery/object.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { strategicMergePatch } from '../../api/patch/strategic-merge.ts'
import { withEmptyStructs } from './empty-structs.ts'
import { jsonPatch } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'

export type PatchType = 'json' | 'merge' | 'strategic'

/**
 * The object that a patch makes of `current`. Changes neither argument; the result may share parts with both. Throws
 * the StatusErrors of the patch's own kind (400, 413, 422).
 */
export function applyPatch(request: {
  type: PatchType
  current: AnyObject
  patch: unknown
  schema: Schema
}): AnyObject {
  const { type, current, patch, schema } = request
  const patched =
    type === 'json'
      ? withEmptyStructs(current, schema, (object) => jsonPatch(object, patch))
      : type === 'merge'
        ? mergePatch(current, patch)
        : strategicMergePatch(current, patch, schema)
  // A patch can take the metadata itself away; every object has some.
  patched.metadata ??= {}
  return patched as AnyObject
}
