import type { AnyObject } from '../../api/machinery/object.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { difference, emptySet, type FieldSet, intersection, isEmpty, union } from './field-set.ts'
import type { ToVersion } from './managed-fields.ts'
import type { Manager, Managers } from './managers.ts'
import { fieldsOf, withStructs } from './owned-fields.ts'
import { type Type, typeOf } from './typed.ts'
import { removeFields } from './typed-remove.ts'

interface Request {
  schema: Schema
  apiVersion: string
  toVersion?: ToVersion | undefined
}

/**
 * Takes away what the applier had applied the last time and no longer applies, unless somebody else owns it. `managers`
 * hold the applier's new set already. Returns the object in the applier's version.
 */
export function prune(
  merged: AnyObject,
  managers: Managers,
  last: Manager,
  applier: Manager,
  request: Request,
): AnyObject {
  // The common case: it applies all that it did, and perhaps more.
  if (last.apiVersion === applier.apiVersion && isEmpty(difference(last.set, applier.set))) return merged
  const before = inVersion(merged, last.apiVersion, request)
  if (!before) return merged
  const { type } = before
  const lastFields = withStructs(last.set, type)
  let kept = removeFields(type, before.object, lastFields) as AnyObject
  kept = addBackOwned(before, kept, last.apiVersion, managers, request)

  // What is gone now goes only if it was the applier's: not what nobody owned, nor what hung below it.
  const present = withStructs(fieldsOf(type, before.object), type)
  const left = withStructs(fieldsOf(type, inVersion(kept, last.apiVersion, request)?.object ?? kept), type)
  const gone = intersection(difference(present, left), lastFields)
  const pruned = removeFields(type, before.object, gone) as AnyObject
  return inVersion(pruned, applier.apiVersion, request)?.object ?? pruned
}

interface Versioned {
  object: AnyObject
  type: Type
}

/** Everything that some manager owns comes back, version by version; the last applied one first. */
function addBackOwned(
  merged: Versioned,
  pruned: AnyObject,
  lastVersion: string,
  managers: Managers,
  request: Request,
): AnyObject {
  const owned = new Map<string, FieldSet>([[lastVersion, emptySet]])
  for (const { apiVersion, set } of managers.values())
    owned.set(apiVersion, union(owned.get(apiVersion) ?? emptySet, set))
  let kept = pruned
  for (const [apiVersion, set] of owned) {
    const before = inVersion(merged.object, apiVersion, request)
    const after = inVersion(kept, apiVersion, request)
    if (!before || !after) continue
    const { type } = before
    const present = withStructs(fieldsOf(type, before.object), type)
    const wanted = union(withStructs(fieldsOf(type, after.object), type), withStructs(set, type))
    kept = removeFields(type, before.object, difference(present, wanted)) as AnyObject
  }
  return kept
}

/** Undefined: the version is no longer served. */
function inVersion(object: AnyObject, apiVersion: string, request: Request): Versioned | undefined {
  const { toVersion } = request
  if (!toVersion || object.apiVersion === apiVersion) {
    const schema = apiVersion === request.apiVersion ? request.schema : toVersion?.(object, apiVersion)?.schema
    return { object, type: typeOf(schema ?? request.schema) }
  }
  const converted = toVersion(object, apiVersion)
  return converted && { object: converted.object, type: typeOf(converted.schema) }
}
