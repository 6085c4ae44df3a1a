import type { Device, ResourcePool, ResourceSlice, ResourceSliceSpec } from '../generated/types.ts'
import { child, type FieldError, invalid, required } from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { formatTime } from '../machinery/time.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateDriverName } from '../storage/driver-name.ts'
import { eachUnique, validatePoolName } from './checks.ts'
import { placeFields, validateCounterSet, validateDevice } from './device-validation.ts'

type Slice = Stored<ResourceSlice>

export const resourceSlices = defineResource<Slice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.resource.v1.ResourceSlice'),
  defaults: ({ spec }) => {
    for (const device of spec?.devices ?? []) {
      for (const mapping of Object.values(device.nodeAllocatableResourceMappings ?? {})) {
        mapping.allocationMultiplier ??= '1'
      }
    }
  },
  validate: ({ spec }, old) => validateSpec(spec ?? ({} as ResourceSliceSpec), old?.spec),
  warnings: ({ spec }) => {
    const driver = spec?.driver ?? ''
    return driver === driver.toLowerCase()
      ? []
      : [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`]
  },
  strategy: {
    generation: 'spec',
    returnDeleted: true,
    prepareForCreate: (slice, { nowMs }) => prepare(slice, undefined, nowMs),
    prepareForUpdate: (slice, old, { nowMs }) => prepare(slice, old, nowMs),
  },
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.driver': ({ spec }) => spec?.driver ?? '',
  },
  columns: [
    nameColumn,
    {
      name: 'Node',
      type: 'string',
      description: 'The node the devices are on, if it is one.',
      value: ({ spec }) => spec?.nodeName ?? '',
    },
    {
      name: 'Driver',
      type: 'string',
      description: 'Whose devices these are.',
      value: ({ spec }) => spec?.driver ?? '',
    },
    {
      name: 'Pool',
      type: 'string',
      description: 'The pool this slice is a part of.',
      value: ({ spec }) => spec?.pool?.name ?? '',
    },
    ageColumn,
  ],
})

/** Alpha fields, off in upstream by default, stay only where a slice has them already; taints get their time. */
function prepare({ spec }: Slice, old: Slice | undefined, nowMs: number): void {
  const oldDevices = old?.spec?.devices ?? []
  const keepMappings = oldDevices.some(({ nodeAllocatableResourceMappings: m = {} }) => Object.keys(m).length > 0)
  const keepLists = oldDevices.some(hasListAttributes)
  for (const device of spec?.devices ?? []) {
    if (!keepMappings) delete device.nodeAllocatableResourceMappings
    for (const attribute of keepLists ? [] : Object.values(device.attributes ?? {})) {
      delete attribute.bools
      delete attribute.ints
      delete attribute.strings
      delete attribute.versions
    }
    for (const taint of device.taints ?? []) taint.timeAdded ??= formatTime(nowMs)
  }
}

const maxDevices = 128
const maxDevicesWithAdvancedFeatures = 64
const maxCounterSets = 8

function validateSpec(spec: ResourceSliceSpec, old: ResourceSliceSpec | undefined): FieldError[] {
  const errors = [
    ...validateDriverName(spec.driver, 'spec.driver'),
    ...validatePool(spec.pool, 'spec.pool'),
    ...(old
      ? [
          ...immutable(spec.pool?.name, old.pool?.name, 'spec.pool.name'),
          ...immutable(spec.driver, old.driver, 'spec.driver'),
          ...immutable(spec.nodeName, old.nodeName, 'spec.nodeName'),
        ]
      : []),
    ...validatePlace(spec),
  ]
  if (spec.sharedCounters && spec.devices) {
    errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'))
  }
  const oldDevices = new Map((old?.devices ?? []).map((device) => [device.name, device]))
  errors.push(
    ...eachUnique(
      spec.devices,
      (spec.devices ?? []).some(isAdvanced) ? maxDevicesWithAdvancedFeatures : maxDevices,
      'spec.devices',
      (device, at) => validateDevice(device, oldDevices.get(device.name), at, spec.perDeviceNodeSelection ?? false),
      ({ name }) => name,
    ),
    ...eachUnique(spec.sharedCounters, maxCounterSets, 'spec.sharedCounters', validateCounterSet, ({ name }) => name),
  )
  return errors
}

function validatePool(pool: ResourcePool | undefined, path: string): FieldError[] {
  const { name = '', resourceSliceCount = 0, generation = 0 } = pool ?? {}
  const errors = validatePoolName(name, child(path, 'name'))
  if (resourceSliceCount <= 0) {
    errors.push(invalid(child(path, 'resourceSliceCount'), resourceSliceCount, 'must be greater than zero'))
  }
  if (generation < 0) {
    errors.push(invalid(child(path, 'generation'), generation, 'must be greater than or equal to zero'))
  }
  return errors
}

function validatePlace(spec: ResourceSliceSpec): FieldError[] {
  const { set, errors } = placeFields(spec, 'spec', 'must be either unset or set to a non-empty string')
  const terms = spec.nodeSelector?.nodeSelectorTerms ?? []
  if (spec.nodeSelector && terms.length !== 1) {
    errors.push(invalid('spec.nodeSelector.nodeSelectorTerms', terms, 'must have exactly one node selector term'))
  }
  const { perDeviceNodeSelection: perDevice } = spec
  if (perDevice) set.push('`perDeviceNodeSelection`')
  else if (perDevice === false) {
    errors.push(invalid('spec.perDeviceNodeSelection', perDevice, 'must be either unset or set to true'))
  }
  const oneOf = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  if (set.length === 0) errors.push(required('spec', oneOf))
  if (set.length > 1) errors.push(invalid('spec', `{${set.join(', ')}}`, `${oneOf}, but multiple fields are set`))
  return errors
}

const hasListAttributes = (device: Device): boolean =>
  Object.values(device.attributes ?? {}).some(
    ({ bools, ints, strings, versions }) => bools || ints || strings || versions,
  )

const isAdvanced = (device: Device): boolean =>
  Boolean(device.taints?.length || device.consumesCounters?.length || hasListAttributes(device))
