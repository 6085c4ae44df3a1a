import type { ManagedFieldsEntry } from '../../api/generated/types.ts'
import { emptySet, type FieldSet, isEmpty, parseFieldSet, union } from './field-set.ts'

/** Who owns which fields: one entry of managedFields, read. Never changed once made. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  /** RFC 3339; absent for an owner that has changed nothing yet. */
  readonly time: string | undefined
  readonly set: FieldSet
  /** The entry it was read from, as long as it still says the same. */
  readonly entry?: ManagedFieldsEntry
}

/** All owners of one object, by identity: an applier is the same whatever version it speaks, an updater is not. */
export type Managers = Map<string, Manager>

type Identity = Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>

export const identityOf = ({ name, operation, apiVersion, subresource }: Identity): string =>
  `${operation}\n${name}\n${operation === 'Apply' ? '' : apiVersion}\n${subresource}`

/** Throws an Error that names the fault of the first entry that is not one. */
export function decodeManagers(entries: unknown): Managers {
  const managers: Managers = new Map()
  if (!Array.isArray(entries)) return managers
  for (const [index, entry] of (entries as ManagedFieldsEntry[]).entries()) {
    const { operation, apiVersion, fieldsType } = entry ?? {}
    if (operation !== 'Apply' && operation !== 'Update') throw new Error('operation must be `Apply` or `Update`')
    if (!apiVersion) throw new Error('apiVersion must not be empty')
    if (!fieldsType) throw new Error(`missing fieldsType in managed fields entry ${index}`)
    if (fieldsType !== 'FieldsV1') {
      throw new Error(`invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${index}`)
    }
    const manager: Manager = {
      name: entry.manager ?? '',
      operation,
      apiVersion,
      subresource: entry.subresource ?? '',
      time: entry.time,
      set: parseFieldSet(entry.fieldsV1),
      entry,
    }
    managers.set(identityOf(manager), manager)
  }
  return managers
}

/** The entries in upstream's order; undefined if there are none. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined
  const list = [...managers.values()]
  if (list.length > 1) list.sort(byOrder)
  return list.map(entryOf)
}

export const withSet = (manager: Manager, set: FieldSet): Manager => {
  if (set === manager.set) return manager
  const { entry: _, ...rest } = manager
  return { ...rest, set }
}

function entryOf(manager: Manager): ManagedFieldsEntry {
  const { name, operation, apiVersion, subresource, time, set, entry } = manager
  if (entry && entry.fieldsV1 === set) return entry
  // In upstream's order. Built step by step: this runs in every write, where spreading costs more than all else here.
  const made: ManagedFieldsEntry = {}
  if (name !== '') made.manager = name
  made.operation = operation
  made.apiVersion = apiVersion
  if (time !== undefined) made.time = time
  made.fieldsType = 'FieldsV1'
  made.fieldsV1 = set as ManagedFieldsEntry['fieldsV1'] & object
  if (subresource !== '') made.subresource = subresource
  return made
}

const seconds = (time: string | undefined): number => (time ? Math.floor(Date.parse(time) / 1000) || 0 : 0)
const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

const byOrder = (a: Manager, b: Manager): number =>
  compareText(a.operation, b.operation) ||
  seconds(a.time) - seconds(b.time) ||
  compareText(a.name, b.name) ||
  compareText(a.apiVersion, b.apiVersion) ||
  compareText(a.subresource, b.subresource)

const maxUpdaters = 10
const bucketName = 'ancient-changes'

/** Keeps at most ten updaters: the oldest of each version become one entry called ancient-changes. Changes its argument. */
export function capUpdaters(managers: Managers): void {
  const updaters = [...managers.values()].filter(({ operation }) => operation === 'Update')
  let count = updaters.length
  if (count <= maxUpdaters) return
  updaters.sort((a, b) => seconds(a.time) - seconds(b.time) || compareText(identityOf(a), identityOf(b)))
  const firstOfVersion = new Map<string, Manager>()
  for (const updater of updaters) {
    if (count <= maxUpdaters) return
    const { apiVersion } = updater
    const first = firstOfVersion.get(apiVersion)
    if (!first) {
      firstOfVersion.set(apiVersion, updater)
      continue
    }
    const bucket: Manager = {
      name: bucketName,
      operation: 'Update',
      apiVersion,
      subresource: '',
      time: updater.time,
      set: emptySet,
    }
    const id = identityOf(bucket)
    const standing = managers.get(id)?.set ?? first.set
    if (!managers.has(id)) managers.delete(identityOf(first))
    managers.delete(identityOf(updater))
    managers.set(id, { ...bucket, set: union(updater.set, standing) })
    count--
  }
}

/** Replaces an owner's set; an owner of nothing goes. Changes `managers`. */
export function setFields(managers: Managers, id: string, manager: Manager, set: FieldSet): void {
  if (isEmpty(set)) managers.delete(id)
  else if (set !== manager.set) managers.set(id, withSet(manager, set))
}
