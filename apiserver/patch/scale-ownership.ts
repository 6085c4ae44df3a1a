import type { ManagedFieldsEntry } from '../../api/generated/types.ts'
import { difference, type FieldPath, type FieldSet, fieldSet, has, isEmpty } from './field-set.ts'
import { decodeManagers, encodeManagers, identityOf, type Managers, withSet } from './managers.ts'
import { fieldElement } from './path-element.ts'

const scaleVersion = 'autoscaling/v1'
const replicasOfScale: FieldPath = [fieldElement('spec'), fieldElement('replicas')]

/**
 * Where an object keeps its replicas, as `spec.replicas`, by the apiVersion of an entry: null if that version has no
 * scale, undefined if it is not served (its entries are then dropped).
 */
export type ReplicasPath = (apiVersion: string) => string | null | undefined

const pathOf = (path: string): FieldPath => path.split('.').map(fieldElement)

/**
 * managedFields of the scale of an object: whoever owns its replicas, and nothing else. Throws an Error if the object's
 * own cannot be read.
 */
export function scaleManagedFields(
  entries: readonly ManagedFieldsEntry[] | undefined,
  replicasPath: ReplicasPath,
): ManagedFieldsEntry[] | undefined {
  const owners: Managers = new Map()
  for (const [id, manager] of decodeManagers(entries)) {
    const path = replicasPath(manager.apiVersion)
    if (!path || !has(manager.set, pathOf(path))) continue
    const { entry: _, ...owner } = manager
    // The key stays the one of the owner in the object, so that it is found again on the way back.
    owners.set(id, { ...owner, apiVersion: scaleVersion, set: fieldSet(replicasOfScale) })
  }
  return encodeManagers(owners)
}

/**
 * managedFields of an object after its scale was written: who lost the replicas there loses them here, who got them
 * there owns them here, in version `apiVersion`. Throws an Error if either list cannot be read.
 */
export function parentManagedFields(
  entries: readonly ManagedFieldsEntry[] | undefined,
  scaleEntries: readonly ManagedFieldsEntry[] | undefined,
  apiVersion: string,
  replicasPath: ReplicasPath,
): ManagedFieldsEntry[] | undefined {
  const owners: Managers = new Map()
  const scaling = new Map([...decodeManagers(scaleEntries).values()].map((manager) => [scaleKey(manager), manager]))
  for (const [id, manager] of decodeManagers(entries)) {
    const path = replicasPath(manager.apiVersion)
    if (path === undefined) continue
    if (path === null || !has(manager.set, pathOf(path))) {
      owners.set(id, manager)
      continue
    }
    const stillOwns = scaling.delete(scaleKey(manager))
    const set: FieldSet = stillOwns ? manager.set : difference(manager.set, fieldSet(pathOf(path)))
    if (!isEmpty(set)) owners.set(id, withSet(manager, set))
  }
  const own = replicasPath(apiVersion)
  for (const manager of scaling.values()) {
    if (!own || !has(manager.set, replicasOfScale)) continue
    const { entry: _, ...rest } = manager
    const owner = { ...rest, apiVersion, set: fieldSet(pathOf(own)) }
    owners.set(identityOf(owner), owner)
  }
  return encodeManagers(owners)
}

/** In the scale all entries are of one version, so the version does not tell owners apart. */
const scaleKey = ({ name, operation, subresource }: { name: string; operation: string; subresource: string }): string =>
  `${operation}\n${name}\n${subresource}`
