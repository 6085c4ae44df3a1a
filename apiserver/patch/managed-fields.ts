import type { ManagedFieldsEntry } from '../../api/generated/types.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { sameJson } from '../registry/json.ts'
import { fieldsOfNew } from './alike.ts'
import { type Comparison, compare } from './compare.ts'
import { difference, type FieldSet, fieldSet, isEmpty, recursiveDifference, union } from './field-set.ts'
import {
  capUpdaters,
  decodeManagers,
  encodeManagers,
  identityOf,
  type Manager,
  type Managers,
  setFields,
  withSet,
} from './managers.ts'
import { reconcile } from './owned-fields.ts'
import { fieldElement } from './path-element.ts'
import { type Type, TypeFault, typeOf } from './typed.ts'

/** The same object in another served version, with that version's schema. Undefined: no such version is served. */
export type ToVersion = (object: AnyObject, apiVersion: string) => { object: AnyObject; schema: Schema } | undefined

/**
 * Fields that the strategy resets on this write, which the writer therefore cannot own: a set (everything below its
 * paths goes too), or a filter that returns what may stay.
 */
export type ResetFields = FieldSet | ((set: FieldSet) => FieldSet)

export interface UpdateRecord {
  /** Absent on create. */
  old?: AnyObject | undefined
  /** Gets its managedFields. */
  new: AnyObject
  /** Of both objects. */
  schema: Schema
  manager: string
  /** The version that the writer speaks. */
  apiVersion: string
  /** The version that both objects are in. Default: the writer's. Needs `toVersion` if it is another. */
  objectVersion?: string | undefined
  subresource: string
  nowMs: number
  resetFields?: ResetFields | undefined
  /** Absent: all versions of the object are taken to have the fields of this one. */
  toVersion?: ToVersion | undefined
}

/**
 * Records in managedFields who changed what, for every write but server-side apply: the writer owns what it added or
 * modified, nobody owns what it removed, and others lose what it changed. Sets `new.metadata.managedFields`. Never
 * throws on what a client may send: an object whose ownership cannot be told has none, as upstream has it.
 */
export function recordUpdate(record: UpdateRecord): void {
  const { metadata } = record.new
  let entries: ManagedFieldsEntry[] | undefined
  try {
    const managers = standingManagers(record)
    // An object that nobody tracks stays so until it is first applied.
    if (managers.size > 0 || !record.old?.metadata.uid) entries = encodeManagers(trackUpdate(managers, record))
  } catch (error) {
    if (!(error instanceof TypeFault)) throw error
  }
  if (entries) metadata.managedFields = entries
  else delete metadata.managedFields
}

/** The owners before this write: those the writer sent back, unless it sent none that can be read. */
function standingManagers({ old, new: fresh, subresource }: UpdateRecord): Managers {
  const sent = fresh.metadata.managedFields as unknown
  const kept = old?.metadata.managedFields
  // A subresource cannot be used to write managedFields.
  if (subresource !== '') return decodeOrNone(kept)
  if (isReset(sent)) return new Map()
  const managers = decodeOrNone(sent)
  return managers.size > 0 ? managers : decodeOrNone(kept)
}

/** A list that is there but empty, or has one empty entry, asks to forget all ownership. */
function isReset(sent: unknown): boolean {
  if (!Array.isArray(sent) || sent.length > 1) return false
  return sent.length === 0 || Object.keys(sent[0] ?? {}).length === 0
}

function decodeOrNone(entries: unknown): Managers {
  try {
    return decodeManagers(entries)
  } catch {
    return new Map()
  }
}

/** The owners after a write by Update. Throws TypeFault if the objects do not fit their type. */
export function trackUpdate(managers: Managers, record: UpdateRecord): Managers {
  const { old, new: fresh, manager, apiVersion, subresource, nowMs } = record
  let after: Managers
  let own: FieldSet
  if (!old && managers.size === 0 && apiVersion === homeOf(record)) {
    after = new Map()
    const make = () => difference(new Comparisons(record, emptyObject, fresh).own.changed, neverOwned)
    own = fieldsOfNew(typeOf(record.schema), withoutManagedFields(fresh), record.resetFields, make)
  } else {
    const comparisons = new Comparisons(record, old ?? emptyObject, fresh)
    after = comparisons.takeFromOthers(reconcileAll(managers, record, fresh))
    own = difference(comparisons.own.changed, neverOwned)
  }
  if (!isEmpty(own)) {
    const owner: Manager = {
      name: manager === '' ? 'unknown' : manager,
      operation: 'Update',
      apiVersion,
      subresource,
      time: formatTime(nowMs),
      set: own,
    }
    const id = identityOf(owner)
    const before = after.get(id)
    after.set(id, before ? { ...owner, set: union(own, before.set) } : owner)
  }
  capUpdaters(after)
  return after
}

const emptyObject: AnyObject = Object.freeze({ metadata: Object.freeze({}) })

/** Fields that identify an object or that only the server writes. Nobody owns them. */
export const neverOwned: FieldSet = fieldSet(
  ...['apiVersion', 'kind', 'metadata'].map((name) => [fieldElement(name)]),
  ...[
    'clusterName',
    'creationTimestamp',
    'generation',
    'managedFields',
    'name',
    'namespace',
    'resourceVersion',
    'selfLink',
    'uid',
  ].map((name) => [fieldElement('metadata'), fieldElement(name)]),
)

/** What tells one served version of an object from another. */
type Versions = Pick<UpdateRecord, 'schema' | 'apiVersion' | 'objectVersion' | 'toVersion'>

const homeOf = ({ apiVersion, objectVersion }: Versions): string => objectVersion ?? apiVersion

/**
 * Reads every owner's set under the schema of its version; owners of a version no longer served are dropped. `object`
 * is any form of the object.
 */
export function reconcileAll(managers: Managers, versions: Versions, object: AnyObject): Managers {
  const reconciled: Managers = new Map()
  for (const [id, manager] of managers) {
    const schema =
      manager.apiVersion === homeOf(versions) || !versions.toVersion
        ? versions.schema
        : versions.toVersion(object, manager.apiVersion)?.schema
    if (!schema) continue
    const set = reconcile(manager.set, typeOf(schema))
    reconciled.set(id, withSet(manager, set))
  }
  return reconciled
}

/** How the object before a write differs from the one after, in each version that some owner speaks. */
export class Comparisons {
  readonly own: Comparison
  readonly #versions: Map<string, Comparison | undefined> = new Map()
  readonly #request: Versions & Pick<UpdateRecord, 'resetFields'>
  readonly #old: AnyObject
  readonly #fresh: AnyObject

  constructor(request: Versions & Pick<UpdateRecord, 'resetFields'>, old: AnyObject, fresh: AnyObject) {
    this.#request = request
    this.#old = withoutManagedFields(old)
    this.#fresh = withoutManagedFields(fresh)
    const direct = this.#compare(typeOf(request.schema), this.#old, this.#fresh)
    this.#versions.set(homeOf(request), direct)
    this.own = this.at(request.apiVersion) ?? direct
  }

  /** Undefined if the version is no longer served. */
  at(apiVersion: string): Comparison | undefined {
    if (this.#versions.has(apiVersion)) return this.#versions.get(apiVersion)
    const { toVersion } = this.#request
    // Without conversions there is one version only, whatever its name.
    if (!toVersion) return this.#versions.get(homeOf(this.#request))
    // Nothing is nothing in every version, and conversions need not expect it.
    const old = this.#old === emptyObject ? { object: emptyObject } : toVersion(this.#old, apiVersion)
    const fresh = toVersion(this.#fresh, apiVersion)
    const found = old && fresh ? this.#compare(typeOf(fresh.schema), old.object, fresh.object) : undefined
    this.#versions.set(apiVersion, found)
    return found
  }

  /** The owners, but for one if named, without what the write changed or removed. A new map. */
  takeFromOthers(managers: Managers, except?: string): Managers {
    const after: Managers = new Map(managers)
    for (const [id, manager] of managers) {
      if (id === except) {
        if (isEmpty(manager.set)) after.delete(id)
        continue
      }
      const comparison = this.at(manager.apiVersion)
      if (!comparison) after.delete(id)
      else setFields(after, id, manager, difference(difference(manager.set, comparison.changed), comparison.removed))
    }
    return after
  }

  #compare(type: Type, old: AnyObject, fresh: AnyObject): Comparison {
    const { changed, removed } = compare(type, old, fresh)
    const { resetFields } = this.#request
    return { changed: dropReset(changed, resetFields), removed: dropReset(removed, resetFields) }
  }
}

export const dropReset = (set: FieldSet, reset: ResetFields | undefined): FieldSet =>
  reset === undefined ? set : typeof reset === 'function' ? reset(set) : recursiveDifference(set, reset)

/** What is said of ownership is not itself owned, nor compared. */
function withoutManagedFields(object: AnyObject): AnyObject {
  if (object.metadata?.managedFields === undefined) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/**
 * Gives managedFields their old times back if a write changed nothing else, so that it need not be stored at all. To be
 * called last before the comparison that decides whether there is anything to write.
 */
export function keepTimesIfUnchanged(object: AnyObject, old: AnyObject): void {
  const before = old.metadata.managedFields
  const after = object.metadata.managedFields
  if (!before || !after || before.length !== after.length) return
  if (after.every((entry, i) => entry.time === before[i]?.time)) return
  if (!after.every((entry, i) => sameJson({ ...entry, time: '' }, { ...before[i], time: '' }))) return
  const { apiVersion: _a, kind: _k, ...fresh } = withoutManagedFields(object)
  const { apiVersion: _b, kind: _l, ...stored } = withoutManagedFields(old)
  if (sameJson(fresh, stored)) object.metadata.managedFields = before
}

/** Why a list of managedFields cannot be read; undefined if it can. Admission that breaks them gets them back. */
export function managedFieldsFault(entries: unknown): string | undefined {
  try {
    decodeManagers(entries)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const maxManagerLength = 128

/** Who a request without fieldManager is recorded as: the user agent up to its first slash, printable, ≤ 128 bytes. */
export function managerOf(fieldManager: string | null | undefined, userAgent: string | undefined): string {
  if (fieldManager) return fieldManager
  let name = ''
  let bytes = 0
  for (const character of (userAgent ?? '').split('/', 1)[0] as string) {
    if (character !== ' ' && !printable.test(character)) continue
    bytes += Buffer.byteLength(character)
    if (bytes > maxManagerLength) break
    name += character
  }
  return name
}
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u
