import { badRequestError } from '../../api/machinery/errors.ts'
import { type AnyObject, parseApiVersion } from '../../api/machinery/object.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { cloneJson, isObject, setField } from '../../api/patch/json.ts'
import { unclassifiedError } from '../../api/patch/patch-error.ts'
import { sameJson } from '../registry/json.ts'
import { Conflicts, conflictStatus } from './conflicts.ts'
import { difference, emptySet, type FieldSet, intersection, isEmpty } from './field-set.ts'
import { kubectlManager, ownedByClientSideApply, updateLastApplied } from './last-applied.ts'
import {
  Comparisons,
  dropReset,
  keepTimesIfUnchanged,
  neverOwned,
  type ResetFields,
  reconcileAll,
  type ToVersion,
  trackUpdate,
} from './managed-fields.ts'
import { decodeManagers, encodeManagers, identityOf, type Manager, type Managers, withSet } from './managers.ts'
import { fieldsOf } from './owned-fields.ts'
import { prune } from './prune.ts'
import { TypeFault, typeOf } from './typed.ts'
import { mergeTyped } from './typed-merge.ts'
import { validateTyped } from './typed-validate.ts'

export interface ApplyRequest {
  /** The object as it stands, in the version `apiVersion`. Absent: the apply creates it. */
  live?: AnyObject | undefined
  /** What is applied. */
  applied: AnyObject
  schema: Schema
  manager: string
  force: boolean
  apiVersion: string
  subresource: string
  nowMs: number
  /** Kind of the endpoint. Absent: the applied kind is not checked here. */
  kind?: string
  /** Name in the URL, for an apply that creates. */
  name?: string
  toVersion?: ToVersion | undefined
  resetFields?: ResetFields | undefined
}

/**
 * Server-side apply: the object that results, with its managedFields; a copy that shares nothing with the arguments. An
 * apply that changes nothing returns the object as it stands, its times too. Throws 409 with a cause for each field
 * that another manager owns, unless forced; 400 for a wrong kind, for managedFields in the configuration, and for a
 * configuration that does not fit the schema.
 */
export function serverSideApply(request: ApplyRequest): AnyObject {
  checkRequest(request)
  const { live, applied, schema, manager, apiVersion } = request
  const type = typeOf(schema)
  try {
    validateTyped(type, applied)
  } catch (error) {
    throw untyped('patch', applied, error)
  }
  const standing: AnyObject = live ?? { apiVersion, kind: applied.kind as string, metadata: {} }
  const outcome = mergeInto(standing, request)

  const object = cloneJson(outcome.object)
  if (outcome.hasNulls) dropNulls(object, schema)
  object.metadata ??= {}
  if (manager === kubectlManager) updateLastApplied(object, applied)
  const entries = encodeManagers(outcome.managers)
  if (entries) object.metadata.managedFields = entries
  else delete object.metadata.managedFields
  return object
}

/** An object may stand that validation took and apply cannot: a list item without its key. */
function mergeInto(standing: AnyObject, request: ApplyRequest): Outcome {
  try {
    return applyOrUpgrade(standing, standingManagers(standing, request), request, request.force)
  } catch (error) {
    throw untyped('live', standing, error)
  }
}

function untyped(what: 'patch' | 'live', object: AnyObject, error: unknown): unknown {
  if (!(error instanceof TypeFault)) return error
  const { namespace = '', name = '' } = object.metadata ?? {}
  return unclassifiedError(
    `failed to create typed ${what} object (${namespace}/${name}; ${printKind(object)}): ${error.message}`,
  )
}

function checkRequest({ applied, apiVersion, kind, live, name }: ApplyRequest): void {
  if (applied.apiVersion !== apiVersion || (kind !== undefined && applied.kind !== kind)) {
    throw badRequestError(`invalid object type: ${printKind(applied)}`)
  }
  if (applied.metadata?.managedFields) throw badRequestError('metadata.managedFields must be nil')
  if (!live && name !== undefined && !applied.metadata?.name) {
    throw badRequestError(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  }
}

function printKind({ apiVersion = '', kind = '' }: Pick<AnyObject, 'apiVersion' | 'kind'>): string {
  const { group, version } = parseApiVersion(apiVersion)
  return `${group}/${version}, Kind=${kind}`
}

/** The owners so far. What was written before anybody tracked it belongs to a manager of its own. */
function standingManagers(live: AnyObject, request: ApplyRequest): Managers {
  let managers: Managers
  try {
    managers = decodeManagers(live.metadata.managedFields)
  } catch (error) {
    throw unclassifiedError(`failed to decode managed fields: ${(error as Error).message}`)
  }
  if (managers.size > 0) return managers
  return trackUpdate(managers, { ...request, old: undefined, new: live, manager: 'before-first-apply' })
}

interface Outcome {
  object: AnyObject
  managers: Managers
  hasNulls: boolean
}

/**
 * kubectl, and only it, takes over what its own client-side apply had set: such conflicts do not count, and if no others
 * are left the apply is forced.
 */
function applyOrUpgrade(live: AnyObject, managers: Managers, request: ApplyRequest, force: boolean): Outcome {
  try {
    return applyOnce(live, managers, request, force)
  } catch (error) {
    if (!(error instanceof Conflicts)) throw error
    const allowed =
      request.manager === kubectlManager
        ? ownedByClientSideApply(live, typeOf(request.schema), request.apiVersion)
        : undefined
    const left = error.outside(allowed ?? emptySet)
    if (left.length > 0) throw conflictStatus(left)
    return applyOnce(live, managers, request, true)
  }
}

function applyOnce(live: AnyObject, standing: Managers, request: ApplyRequest, force: boolean): Outcome {
  const { applied, schema, manager, apiVersion, subresource, nowMs, resetFields } = request
  const type = typeOf(schema)
  const merged = { ...(mergeTyped(type, live, applied) as AnyObject) }
  const managers = reconcileAll(standing, request, live)

  const identity = { name: manager === '' ? 'unknown' : manager, operation: 'Apply', apiVersion, subresource } as const
  const id = identityOf(identity)
  const last = managers.get(id)
  const configured = dropReset(fieldsOf(type, applied), resetFields)
  const applier: Manager = { ...identity, time: last?.time, set: configured }
  managers.set(id, applier)
  const object = last ? prune(merged, managers, last, applier, request) : merged

  const comparisons = new Comparisons(request, live, object)
  if (!force) refuseConflicts(managers, id, comparisons)
  const after = comparisons.takeFromOthers(managers, id)
  const changed = !sameJson(withoutVersion(live), withoutVersion(object))
  settle(after, id, applier, last, changed ? formatTime(nowMs) : last?.time)
  return { object: changed ? object : live, managers: after, hasNulls: containsNull(applied) }
}

const withoutVersion = ({ apiVersion: _a, kind: _k, ...rest }: AnyObject) => rest

function refuseConflicts(managers: Managers, applierId: string, comparisons: Comparisons): void {
  const owned: { manager: Manager; set: FieldSet }[] = []
  for (const [id, manager] of managers) {
    if (id === applierId) continue
    const comparison = comparisons.at(manager.apiVersion)
    const set = comparison ? intersection(manager.set, comparison.changed) : emptySet
    if (!isEmpty(set)) owned.push({ manager, set })
  }
  if (owned.length > 0) throw Conflicts.of(owned)
}

/** The applier's own entry: all it applied, but what nobody owns. The entry as it was, if it says the same. */
function settle(managers: Managers, id: string, applier: Manager, last: Manager | undefined, time?: string): void {
  const set = difference(applier.set, neverOwned)
  if (isEmpty(set)) managers.delete(id)
  else if (last && last.time === time && last.apiVersion === applier.apiVersion && sameJson(last.set, set)) {
    managers.set(id, last)
  } else managers.set(id, { ...withSet(applier, set), time })
}

function containsNull(value: unknown): boolean {
  if (value === null) return true
  if (typeof value !== 'object') return false
  for (const part of Object.values(value)) if (containsNull(part)) return true
  return false
}

/** A null that was applied is owned, but a field that cannot be null is then absent. */
function dropNulls(value: unknown, schema: Schema | undefined): void {
  if (Array.isArray(value)) for (const item of value) dropNulls(item, schema?.items)
  else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      const its = schema?.properties?.get(name) ?? schema?.values
      if (its?.type === 'any') continue
      if (value[name] === null && !its?.nullable) delete value[name]
      else dropNulls(value[name], its)
    }
  }
}

/**
 * What is left to do once defaults and admission have made `final` of what {@link serverSideApply} returned: ownership
 * stays as the merge decided it (fields that the server itself fills in belong to nobody, as upstream has it), and if
 * in the end nothing differs from what stands, the times stay too. `applied` is the merged object.
 */
export function attributeToApply(request: Partial<ApplyRequest> & { applied: AnyObject; final: AnyObject }): void {
  const { live, applied, final } = request
  const { managedFields } = applied.metadata
  if (managedFields) setField(final.metadata as Record<string, unknown>, 'managedFields', managedFields)
  else delete final.metadata.managedFields
  if (live) keepTimesIfUnchanged(final, live)
}
