import { isIP } from 'node:net'
import { validateNodeSelector } from '../core/pod-spec/affinity.ts'
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaimConsumerReference,
  ResourceV1ResourceClaim,
} from '../generated/types.ts'
import { validateConditions } from '../machinery/conditions.ts'
import {
  child,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { validateDriverName } from '../storage/driver-name.ts'
import {
  each,
  eachUnique,
  validateBindingConditions,
  validateLabelName,
  validatePoolName,
  validateRawObject,
  validateUid,
} from './checks.ts'
import {
  maxConfigs,
  type RequestNames,
  requestNames,
  validateConfiguration,
  validateReference,
} from './device-requests.ts'

type Claim = Stored<ResourceV1ResourceClaim>

const maxReservedFor = 256
const maxResults = 32
const maxConditions = 8
const maxDataBytes = 10 * 1024
const maxInterfaceNameBytes = 256
const maxHardwareAddressBytes = 128
const maxIps = 16

/** Identity of an allocated device; a device shared by several claims has a share of its own in each. */
const deviceId = ({ driver, pool, device, shareID }: DeviceRequestAllocationResult | AllocatedDeviceStatus): string =>
  `${driver}/${pool}/${device}${shareID === undefined ? '' : `/${shareID}`}`

/** A device that is taken away takes its status with it. Changes `claim`. */
export function dropDeallocatedDevices(claim: Claim, old: Claim): void {
  const gone = new Set((old.status?.allocation?.devices?.results ?? []).map(deviceId))
  for (const result of claim.status?.allocation?.devices?.results ?? []) gone.delete(deviceId(result))
  if (!claim.status?.devices) return
  const devices = claim.status.devices.filter((device) => !gone.has(deviceId(device)))
  if (devices.length > 0) claim.status.devices = devices
  else delete claim.status.devices
}

/** Faults of a new status of a claim. */
export function validateClaimStatus(claim: Claim, old: Claim | undefined): FieldError[] {
  const { status = {} } = claim
  const names = requestNames(claim.spec?.devices)
  const allocated = new Set((status.allocation?.devices?.results ?? []).map(deviceId))
  const errors = [
    ...eachUnique(status.reservedFor, maxReservedFor, 'status.reservedFor', validateConsumer, ({ uid }) => uid),
    ...eachUnique(
      status.devices,
      Number.POSITIVE_INFINITY,
      'status.devices',
      (device, at) => validateDeviceStatus(device, at, allocated),
      deviceId,
    ),
  ]
  if (status.reservedFor?.length) {
    const known = new Set((old?.status?.reservedFor ?? []).map((consumer) => JSON.stringify(consumer)))
    if (!status.allocation) {
      errors.push(forbidden('status.reservedFor', 'may not be specified when `allocated` is not set'))
    } else if (
      claim.metadata.deletionTimestamp &&
      status.reservedFor.some((consumer) => !known.has(JSON.stringify(consumer)))
    ) {
      errors.push(
        forbidden(
          'status.reservedFor',
          'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
        ),
      )
    }
  }
  const before = old?.status?.allocation
  if (status.allocation && before) errors.push(...immutable(status.allocation, before, 'status.allocation'))
  else if (status.allocation) errors.push(...validateAllocation(status.allocation, 'status.allocation', names))
  return errors
}

function validateConsumer(consumer: ResourceClaimConsumerReference, path: string): FieldError[] {
  return (['resource', 'name', 'uid'] as const).flatMap((field) =>
    consumer[field] ? [] : [required(child(path, field))],
  )
}

function validateAllocation(allocation: AllocationResult, path: string, names: RequestNames): FieldError[] {
  const devicesPath = child(path, 'devices')
  const errors = [
    ...each(allocation.devices?.results, maxResults, child(devicesPath, 'results'), (result, at) =>
      validateResult(result, at, names),
    ),
    // Those of the class and those of the claim.
    ...each(allocation.devices?.config, 2 * maxConfigs, child(devicesPath, 'config'), (config, at) => [
      ...validateSource(config, child(at, 'source')),
      ...validateConfiguration(config, at, names, { stored: false }),
    ]),
  ]
  if (allocation.nodeSelector) {
    validateNodeSelector(errors, allocation.nodeSelector, child(path, 'nodeSelector'), false)
  }
  return errors
}

function validateResult(result: DeviceRequestAllocationResult, path: string, names: RequestNames): FieldError[] {
  return [
    ...validateReference(result.request ?? '', child(path, 'request'), names),
    ...validateDriverName(result.driver, child(path, 'driver')),
    ...validatePoolName(result.pool ?? '', child(path, 'pool')),
    ...validateLabelName(result.device ?? '', child(path, 'device')),
    ...validateBindingConditions(result.bindingConditions, result.bindingFailureConditions, path),
    ...(result.shareID === undefined ? [] : validateUid(result.shareID, child(path, 'shareID'))),
  ]
}

function validateSource({ source = '' }: DeviceAllocationConfiguration, path: string): FieldError[] {
  const sources = ['FromClaim', 'FromClass']
  if (source === '') return [required(path)]
  return sources.includes(source) ? [] : [notSupported(path, source, sources)]
}

function validateDeviceStatus(device: AllocatedDeviceStatus, path: string, allocated: ReadonlySet<string>) {
  const errors = [
    ...validateDriverName(device.driver, child(path, 'driver')),
    ...validatePoolName(device.pool ?? '', child(path, 'pool')),
    ...validateLabelName(device.device ?? '', child(path, 'device')),
    ...(device.shareID === undefined ? [] : validateUid(device.shareID, child(path, 'shareID'))),
  ]
  if (!allocated.has(deviceId(device))) {
    errors.push(invalid(path, deviceId(device), 'must be an allocated device in the claim'))
  }
  const conditions = device.conditions ?? []
  if (conditions.length > maxConditions) {
    errors.push(tooMany(child(path, 'conditions'), conditions.length, maxConditions))
  }
  errors.push(...validateConditions(conditions, child(path, 'conditions')))
  if (device.data !== undefined) {
    errors.push(...validateRawObject(device.data, child(path, 'data'), { stored: false, maxBytes: maxDataBytes }))
  }
  if (device.networkData) errors.push(...validateNetworkData(device.networkData, child(path, 'networkData')))
  return errors
}

function validateNetworkData(data: NetworkDeviceData, path: string): FieldError[] {
  const { interfaceName = '', hardwareAddress = '' } = data
  const errors: FieldError[] = []
  if (Buffer.byteLength(interfaceName) > maxInterfaceNameBytes) {
    errors.push(tooLong(child(path, 'interfaceName'), maxInterfaceNameBytes))
  }
  if (Buffer.byteLength(hardwareAddress) > maxHardwareAddressBytes) {
    errors.push(tooLong(child(path, 'hardwareAddress'), maxHardwareAddressBytes))
  }
  errors.push(...eachUnique(data.ips, maxIps, child(path, 'ips'), validateInterfaceAddress, (address) => address))
  return errors
}

/** An address with the length of its subnet: `10.9.8.7/24`. */
function validateInterfaceAddress(address: string, path: string): FieldError[] {
  const [ip = '', bits = '', ...rest] = address.split('/')
  const version = isIP(ip)
  const fits = /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
  return version !== 0 && fits && rest.length === 0
    ? []
    : [invalid(path, address, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)')]
}
