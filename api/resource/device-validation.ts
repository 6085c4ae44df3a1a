import { validateNodeSelector } from '../core/pod-spec/affinity.ts'
import { isNativeResource } from '../core/resource-names.ts'
import type {
  Counter,
  CounterSet,
  Device,
  DeviceAttribute,
  DeviceCounterConsumption,
  DeviceTaint,
  NodeSelector,
} from '../generated/types.ts'
import { child, type FieldError, invalid, key, notFound, required, tooLong } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { isValidLabelValue, nameIsDNSSubdomain } from '../machinery/names.ts'
import { compareQuantity } from '../machinery/quantity.ts'
import { validateCapacity } from './capacity-policy.ts'
import {
  each,
  eachEntry,
  eachUnique,
  validateBindingConditions,
  validateEffect,
  validateLabelName,
  validateQualifiedKey,
  validateQualifiedName,
} from './checks.ts'

const maxAttributesAndCapacities = 32
const maxAttributeValues = 48
const maxTaints = 16
const maxConsumptions = 2
const maxCounters = 32
const maxAttributeBytes = 64
const unlimited = Number.POSITIVE_INFINITY

/** Faults of one device. `perDevice`: each device says itself on which nodes it is. */
export function validateDevice(device: Device, old: Device | undefined, path: string, perDevice: boolean) {
  const { attributes = {}, capacity = {} } = device
  const errors = validateLabelName(device.name ?? '', child(path, 'name'))
  const total = Object.keys(attributes).length + Object.keys(capacity).length
  if (total > maxAttributesAndCapacities) {
    errors.push(
      invalid(
        path,
        total,
        `the total number of attributes and capacities must not exceed ${maxAttributesAndCapacities}`,
      ),
    )
  }
  const values = Object.values(attributes).reduce((sum, attribute) => sum + countValues(attribute), 0)
  if (values > maxAttributeValues) {
    errors.push(invalid(path, values, `the total number of attribute values must not exceed ${maxAttributeValues}`))
  }
  errors.push(
    ...eachEntry(attributes, unlimited, child(path, 'attributes'), validateQualifiedName, validateAttribute),
    ...eachEntry(capacity, unlimited, child(path, 'capacity'), validateQualifiedName, (entry, at) =>
      validateCapacity(entry, at, device.allowMultipleAllocations ?? false),
    ),
  )
  // Taints that did not change got in when other rules were in force.
  if (!old || !semanticEqual(old.taints, device.taints)) {
    errors.push(...each(device.taints, maxTaints, child(path, 'taints'), validateTaint))
  }
  errors.push(
    ...eachUnique(
      device.consumesCounters,
      maxConsumptions,
      child(path, 'consumesCounters'),
      validateConsumption,
      ({ counterSet }) => counterSet,
    ),
  )
  if (perDevice) errors.push(...validateDevicePlace(device, path))
  else if (device.nodeName !== undefined || device.nodeSelector || device.allNodes !== undefined) {
    errors.push(
      invalid(
        path,
        null,
        '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ),
    )
  }
  errors.push(...validateBindingConditions(device.bindingConditions, device.bindingFailureConditions, path))
  errors.push(...validateMappings(device, child(path, 'nodeAllocatableResourceMappings')))
  return errors
}

/** Where a slice or a device is: exactly one of the three. */
export interface Place {
  nodeName?: string
  nodeSelector?: NodeSelector
  allNodes?: boolean
}

/** Which fields of a place are set, with what is wrong inside them. */
export function placeFields(place: Place, path: string, emptyName: string): { set: string[]; errors: FieldError[] } {
  const set: string[] = []
  const errors: FieldError[] = []
  const { nodeName, nodeSelector, allNodes } = place
  const namePath = child(path, 'nodeName')
  if (nodeName === '') errors.push(invalid(namePath, nodeName, emptyName))
  else if (nodeName !== undefined) {
    set.push('`nodeName`')
    errors.push(...nameIsDNSSubdomain(nodeName, false).map((fault) => invalid(namePath, nodeName, fault)))
  }
  if (nodeSelector) {
    set.push('`nodeSelector`')
    validateNodeSelector(errors, nodeSelector, child(path, 'nodeSelector'), false)
  }
  if (allNodes) set.push('`allNodes`')
  else if (allNodes === false) {
    errors.push(invalid(child(path, 'allNodes'), allNodes, 'must be either unset or set to true'))
  }
  return { set, errors }
}

function validateDevicePlace(device: Device, path: string): FieldError[] {
  const { set, errors } = placeFields(device, path, 'must not be empty')
  const oneOf =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
  if (set.length === 0) errors.push(required(path, oneOf))
  if (set.length > 1) errors.push(invalid(path, `{${set.join(', ')}}`, oneOf))
  return errors
}

const lists = ['bools', 'ints', 'strings', 'versions'] as const

const countValues = (attribute: DeviceAttribute): number =>
  lists.reduce((sum, list) => sum + (attribute[list]?.length ?? 0), 0) || 1

// The form of semver.org, version 2.0.0.
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

function validateAttribute(attribute: DeviceAttribute, path: string): FieldError[] {
  const errors: FieldError[] = []
  const text = (value: string, at: string, isVersion: boolean) => {
    if (isVersion && !semver.test(value)) {
      errors.push(invalid(at, value, 'must be a string compatible with semver.org spec 2.0.0'))
    }
    if (Buffer.byteLength(value) > maxAttributeBytes) errors.push(tooLong(at, maxAttributeBytes))
  }
  if (attribute.string !== undefined) text(attribute.string, child(path, 'string'), false)
  if (attribute.version !== undefined) text(attribute.version, child(path, 'version'), true)
  for (const list of lists) {
    const values = attribute[list]
    if (!values) continue
    const at = child(path, list)
    if (values.length === 0) errors.push(invalid(at, values, 'must not be empty if specified'))
    for (const [i, value] of values.entries()) {
      if (typeof value === 'string') text(value, `${at}[${i}]`, list === 'versions')
    }
  }
  const set = Object.values(attribute).filter((value) => value !== undefined).length
  if (set !== 1) errors.push(invalid(path, set === 0 ? '' : attribute, 'exactly one value must be specified'))
  return errors
}

function validateTaint({ key: name = '', value = '', effect = '' }: DeviceTaint, path: string): FieldError[] {
  return [
    ...validateQualifiedKey(name, child(path, 'key')),
    ...(value === '' ? [] : isValidLabelValue(value).map((fault) => invalid(child(path, 'value'), value, fault))),
    ...(effect === '' ? [required(child(path, 'effect'))] : validateEffect(effect, child(path, 'effect'))),
  ]
}

function validateCounters(counters: Record<string, Counter> | undefined, path: string): FieldError[] {
  if (Object.keys(counters ?? {}).length === 0) return [required(path)]
  return eachEntry(counters, maxCounters, path, validateLabelName, () => [])
}

function validateConsumption({ counterSet = '', counters }: DeviceCounterConsumption, path: string): FieldError[] {
  const at = child(path, 'counterSet')
  return [
    ...(counterSet === '' ? [required(at)] : validateLabelName(counterSet, at)),
    ...validateCounters(counters, child(path, 'counters')),
  ]
}

/** Faults of counters that several devices share. */
export function validateCounterSet({ name = '', counters }: CounterSet, path: string): FieldError[] {
  const at = child(path, 'name')
  return [
    ...(name === '' ? [required(at)] : validateLabelName(name, at)),
    ...validateCounters(counters, child(path, 'counters')),
  ]
}

function validateMappings(device: Device, path: string): FieldError[] {
  return Object.entries(device.nodeAllocatableResourceMappings ?? {}).flatMap(([name, mapping]) => {
    const at = key(path, name)
    // Each has a multiplier: by default it is one.
    const { allocationMultiplier: multiplier = '1', capacityKey } = mapping
    const errors = isNativeResource(name) ? [] : [invalid(at, name, 'must be a node allocatable resource name')]
    if (compareQuantity(multiplier, '0') <= 0) {
      errors.push(invalid(child(at, 'allocationMultiplier'), multiplier, 'must be positive'))
    }
    const keyPath = child(at, 'capacityKey')
    if (capacityKey === '') errors.push(invalid(keyPath, '', 'capacityKey must not be an empty string'))
    else if (capacityKey !== undefined && !Object.hasOwn(device.capacity ?? {}, capacityKey)) {
      errors.push(notFound(keyPath, capacityKey))
    }
    return errors
  })
}
