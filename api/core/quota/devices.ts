import type { ResourceV1ResourceClaim as ResourceClaim } from '../../generated/types.ts'
import { objectCountName, type QuotaEvaluator } from './evaluator.ts'

const countName = objectCountName('resource.k8s.io', 'resourceclaims')
const perClass = '.deviceclass.resource.k8s.io/devices'
/** As many devices as one claim can ever be given: what `All` is counted as. */
const mostDevices = 32

/** Claims of devices use so many of a class as they may be given at most. */
export const deviceEvaluator: QuotaEvaluator = {
  handles: ({ subresource }) => subresource === '',
  matching: (names) => names.filter((name) => name === countName || name.endsWith(perClass)),
  usage(object) {
    const { spec } = object as unknown as ResourceClaim
    const devices = new Map<string, number>()
    for (const { exactly, firstAvailable = [] } of spec?.devices?.requests ?? []) {
      const most = new Map<string, number>()
      for (const choice of exactly ? [exactly] : firstAvailable) {
        const { deviceClassName } = choice
        most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, devicesOf(choice)))
      }
      for (const [name, count] of most) devices.set(name, (devices.get(name) ?? 0) + count)
    }
    return {
      [countName]: '1',
      ...Object.fromEntries([...devices].map(([name, count]) => [`${name}${perClass}`, String(count)])),
    }
  },
}

function devicesOf({ allocationMode, count }: { allocationMode?: string; count?: number }): number {
  if (allocationMode === 'All') return mostDevices
  return allocationMode === 'ExactCount' ? (count ?? 1) : 0
}
