import type { NodeIdentity } from '../../api/core/node-choice.ts'
import type { AllocationResult } from '../../api/generated/types.ts'
import { allocationOf } from './allocation.ts'
import { constraintsOf } from './constraints.ts'
import { demandsOf } from './demands.ts'
import type { Claim, DeviceWorld } from './device-world.ts'
import { gatherPools } from './pools.ts'
import { mostDevices, search } from './search.ts'

/** Why claims get no devices on a node, in upstream's words. */
export type AllocationFault = 'cannot allocate all claims' | 'invalid resource pools were encountered'

/**
 * Devices for all of the claims that can be reached from the node, in their order; or why there are none. Throws an Error
 * where it is the claims' fault, or that of classes: no other node would do either; and after `timeoutMs` of search, 0 for
 * no limit: nothing else is scheduled meanwhile.
 */
export function allocate(
  world: Pick<DeviceWorld, 'deviceClass' | 'slices' | 'taken'>,
  node: NodeIdentity,
  claims: readonly Claim[],
  timeoutMs: number,
): AllocationResult[] | AllocationFault {
  const pools = gatherPools(world.slices, node)
  const wants = claims.map((claim) => {
    const requests = demandsOf(claim, pools, world.deviceClass)
    const least = requests.reduce((sum, alternatives) => sum + Math.min(...alternatives.map(({ count }) => count)), 0)
    if (least > mostDevices) {
      const key = `${claim.metadata.namespace ?? ''}/${claim.metadata.name}`
      throw new Error(`claim ${key}: number of requested devices ${least} exceeds the claim limit of ${mostDevices}`)
    }
    return { requests, constraints: constraintsOf(claim) }
  })
  const untilMs = timeoutMs > 0 ? performance.now() + timeoutMs : Number.POSITIVE_INFINITY
  const chosen = search(
    wants,
    (device) => world.taken.has(device),
    () => performance.now() > untilMs,
  )
  if (chosen) return claims.map((claim, i) => allocationOf(claim, chosen[i] ?? []))
  return pools.some(({ fault }) => fault === 'invalid')
    ? 'invalid resource pools were encountered'
    : 'cannot allocate all claims'
}
