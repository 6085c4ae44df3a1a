import type { CSINode, CSINodeDriver } from '../generated/types.ts'
import { child, duplicate, type FieldError, index, invalid, required } from '../machinery/field-errors.ts'
import { immutable, nonNegative } from '../machinery/field-rules.ts'
import { isQualifiedName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateDriverName } from './driver-name.ts'

export const csiNodes = defineResource<Stored<CSINode>>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.storage.v1.CSINode'),
  validate: (node, old) => [...validateDrivers(node.spec?.drivers ?? []), ...(old ? validateUpdate(node, old) : [])],
  strategy: { unconditionalUpdate: false, returnDeleted: true },
  columns: [
    nameColumn,
    {
      name: 'Drivers',
      type: 'integer',
      description: 'Number of CSI drivers on the node.',
      value: (node) => node.spec?.drivers?.length ?? 0,
    },
    ageColumn,
  ],
})

const maxNodeIdBytes = 256

function validateDrivers(drivers: readonly CSINodeDriver[]): FieldError[] {
  const names = new Set<string>()
  return drivers.flatMap((driver, i) => {
    const path = index('spec.drivers', i)
    const { name = '', nodeID = '' } = driver
    const errors = validateDriverName(name, child(path, 'name'))
    if (nodeID === '') errors.push(required(child(path, 'nodeID')))
    if (Buffer.byteLength(nodeID) > maxNodeIdBytes) {
      errors.push(invalid(child(path, 'nodeID'), nodeID, `must be ${maxNodeIdBytes} characters or less`))
    }
    errors.push(...nonNegative(driver.allocatable?.count ?? 0, child(path, 'allocatable', 'count')))
    if (names.has(name)) errors.push(duplicate(child(path, 'name'), name))
    names.add(name)
    errors.push(...validateTopologyKeys(driver.topologyKeys ?? [], path))
    return errors
  })
}

/** Upstream reports faults of the keys at the driver, not at the key. */
function validateTopologyKeys(keys: readonly string[], path: string): FieldError[] {
  return keys.flatMap((key, i) => [
    ...(key === '' ? [required(path)] : []),
    ...(keys.indexOf(key) < i ? [duplicate(path, key)] : []),
    ...isQualifiedName(key).map((message) => invalid(path, key, message)),
  ])
}

/** A driver that stays may change nothing but how many volumes it can take. */
function validateUpdate(node: Stored<CSINode>, old: Stored<CSINode>): FieldError[] {
  const before = new Map(old.spec?.drivers?.map((driver) => [driver.name, driver]))
  return (node.spec?.drivers ?? []).flatMap((driver) => {
    const previous = before.get(driver.name)
    if (!previous) return []
    const { allocatable: _, ...kept } = driver
    const { allocatable: __, ...keptBefore } = previous
    return immutable(kept, keptBefore, 'spec.drivers')
  })
}
