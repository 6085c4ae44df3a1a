import type { Api, Clock } from '../client/types.ts'
import type { Cache } from './cache/cache.ts'
import type { Weighted } from './framework/framework.ts'
import type { World } from './framework/world.ts'
import { newDefaultBinder } from './plugins/default-binder.ts'
import { newDefaultPreemption, type PreemptionContext } from './plugins/default-preemption/default-preemption.ts'
import { newImageLocality } from './plugins/image-locality.ts'
import { newInterPodAffinity } from './plugins/inter-pod-affinity/inter-pod-affinity.ts'
import { nodeAffinity } from './plugins/node-affinity.ts'
import { nodeName } from './plugins/node-name.ts'
import { nodePorts } from './plugins/node-ports.ts'
import { newNodeResourcesBalancedAllocation } from './plugins/node-resources-balanced-allocation.ts'
import { newNodeResourcesFit } from './plugins/node-resources-fit.ts'
import { nodeUnschedulable } from './plugins/node-unschedulable.ts'
import { newNodeVolumeLimits } from './plugins/node-volume-limits.ts'
import { newPodTopologySpread } from './plugins/pod-topology-spread/pod-topology-spread.ts'
import { prioritySort } from './plugins/priority-sort.ts'
import { schedulingGates } from './plugins/scheduling-gates.ts'
import { taintToleration } from './plugins/taint-toleration.ts'
import { newVolumeBinding } from './plugins/volume-binding/volume-binding.ts'
import { newVolumeRestrictions } from './plugins/volume-restrictions.ts'
import { newVolumeZone } from './plugins/volume-zone.ts'

export interface ProfileContext extends PreemptionContext {
  api: Api
  cache: Cache
  world: World
  clock: Clock
  /** Fires when the scheduler is to end: whatever waits gives up. */
  stopping: AbortSignal
}

/** The plugins in upstream's order, which decides whose reason people read, with the weights of their scores. */
export function defaultProfile(context: ProfileContext): readonly Weighted[] {
  const { api, cache, world } = context
  return [
    { plugin: schedulingGates, weight: 0 },
    { plugin: prioritySort, weight: 0 },
    { plugin: nodeUnschedulable, weight: 0 },
    { plugin: nodeName, weight: 0 },
    { plugin: taintToleration, weight: 3 },
    { plugin: nodeAffinity, weight: 2 },
    { plugin: nodePorts, weight: 0 },
    { plugin: newNodeResourcesFit(cache.columns), weight: 1 },
    { plugin: newVolumeRestrictions(cache, world), weight: 0 },
    { plugin: newNodeVolumeLimits(world), weight: 0 },
    { plugin: newVolumeBinding(context), weight: 0 },
    { plugin: newVolumeZone(world), weight: 0 },
    { plugin: newPodTopologySpread(cache, world), weight: 2 },
    { plugin: newInterPodAffinity(cache, world), weight: 2 },
    { plugin: newDefaultPreemption(context), weight: 0 },
    { plugin: newNodeResourcesBalancedAllocation(cache.columns), weight: 1 },
    { plugin: newImageLocality(cache), weight: 1 },
    { plugin: newDefaultBinder(api), weight: 0 },
  ]
}
