import type {
  DeviceClass,
  DeviceSubRequest,
  DeviceTaint,
  DeviceToleration,
  ExactDeviceRequest,
} from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { Claim } from './device-world.ts'
import type { OfferedDevice, Pool } from './pools.ts'
import { selectorsMatch } from './selectors.ts'

/** What a request, or one of its alternatives, needs. */
export interface Demand {
  /** `request` or `request/alternative` */
  readonly name: string
  /** Names by which constraints can mean it. */
  readonly names: readonly string[]
  readonly deviceClass: Live<DeviceClass>
  readonly count: number
  readonly adminAccess: boolean
  readonly tolerations: readonly DeviceToleration[]
  /** Those that match, in the order in which they are tried. */
  readonly devices: readonly OfferedDevice[]
  /** All of the devices are needed, not any. */
  readonly all: boolean
}

/** One of these has to be met; the first that can be is. */
export type Alternatives = readonly Demand[]

/**
 * What a claim needs, request by request, of the pools there are. Throws an Error where the claim or a class is at fault, or
 * where all devices are asked for while it is not known which these are.
 */
export function demandsOf(
  claim: Claim,
  pools: readonly Pool[],
  classOf: (name: string) => Live<DeviceClass> | undefined,
): Alternatives[] {
  const key = `claim ${claim.metadata.namespace ?? ''}/${claim.metadata.name}`
  const demandOf = (name: string, base: string, request: ExactDeviceRequest | DeviceSubRequest): Demand => {
    const which = `${key}, request ${name.slice(name.indexOf('/') + 1)}`
    const deviceClass = classOf(request.deviceClassName)
    if (!deviceClass) throw new Error(`${which}: could not retrieve device class ${request.deviceClassName}: not found`)
    const all = request.allocationMode === 'All'
    for (const { id, fault } of all ? pools : []) {
      const why = { incomplete: 'being updated', invalid: 'invalid' }
      if (fault) throw new Error(`${which}: asks for all devices, but resource pool ${id} is currently ${why[fault]}`)
    }
    const devices = pools.flatMap((pool) => pool.devices.filter((device) => isMeant(device, request, deviceClass, key)))
    return {
      name,
      names: name === base ? [name] : [base, name],
      deviceClass,
      count: all ? devices.length : (request.count ?? 1),
      adminAccess: 'adminAccess' in request && request.adminAccess === true,
      tolerations: request.tolerations ?? [],
      devices,
      all,
    }
  }
  return (claim.spec.devices?.requests ?? []).map(({ name, exactly, firstAvailable = [] }) =>
    exactly
      ? [demandOf(name, name, exactly)]
      : firstAvailable.map((alternative) => demandOf(`${name}/${alternative.name}`, name, alternative)),
  )
}

/** Whether class and request select the device. What has conditions for its binding or shares counters is not stable yet. */
function isMeant(
  offered: OfferedDevice,
  { selectors = [] }: ExactDeviceRequest | DeviceSubRequest,
  deviceClass: Live<DeviceClass>,
  key: string,
): boolean {
  if (offered.device.bindingConditions?.length) return false
  return (
    selectorsMatch(deviceClass.spec.selectors ?? [], offered, `class ${deviceClass.metadata.name}`) &&
    selectorsMatch(selectors, offered, key)
  )
}

const refusing = new Set(['NoSchedule', 'NoExecute'])

/** Whether a taint of the device keeps the demand from getting it. */
export const isKeptAway = (
  { taints = [] }: { taints?: readonly DeviceTaint[] },
  tolerations: readonly DeviceToleration[],
) =>
  taints.some((taint) => refusing.has(taint.effect) && !tolerations.some((toleration) => tolerates(toleration, taint)))

function tolerates({ key = '', operator = 'Equal', value = '', effect = '' }: DeviceToleration, taint: DeviceTaint) {
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  return operator === 'Exists' || (operator === 'Equal' && value === (taint.value ?? ''))
}
