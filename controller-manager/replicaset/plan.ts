import type { Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { podsToDelete } from '../pods/deletion-order.ts'

/** At most as many pods are created or deleted at a time: the next step waits until the cache has seen this one. */
const burst = 500

export type ReplicaPlan = { do: 'nothing' } | { do: 'create'; count: number } | { do: 'delete'; pods: Live<Pod>[] }

/**
 * What is to be done so that there are `desired` of the active `pods`. `related` are the active pods of all sets with the same
 * owner: of two equal pods the one goes that shares its node with more of them. `victims` are names of pods that go before others.
 */
export function planReplicas(world: {
  desired: number
  pods: readonly Live<Pod>[]
  related: () => readonly Live<Pod>[]
  nowMs: number
  victims?: readonly string[]
}): ReplicaPlan {
  const surplus = world.pods.length - world.desired
  if (surplus === 0) return { do: 'nothing' }
  if (surplus < 0) return { do: 'create', count: Math.min(-surplus, burst) }
  const count = Math.min(surplus, burst)
  return { do: 'delete', pods: podsToDelete(world.pods, world.related(), count, world.nowMs, new Set(world.victims)) }
}
