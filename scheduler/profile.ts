import type { Api, Clock } from '../client/types.ts'
import type { Cache } from './cache/cache.ts'
import type { Plugin } from './framework/plugin.ts'
import type { PluginPoints, Weighted } from './framework/points.ts'
import type { World } from './framework/world.ts'
import { defaultArgs, type PluginArgs } from './plugins/args.ts'
import { type CoschedulingContext, newCoscheduling } from './plugins/coscheduling/coscheduling.ts'
import { newDefaultBinder } from './plugins/default-binder.ts'
import { newDefaultPreemption, type PreemptionContext } from './plugins/default-preemption/default-preemption.ts'
import { newDynamicResources } from './plugins/dynamic-resources/dynamic-resources.ts'
import { newImageLocality } from './plugins/image-locality.ts'
import { newInterPodAffinity } from './plugins/inter-pod-affinity/inter-pod-affinity.ts'
import { newNodeAffinity } from './plugins/node-affinity.ts'
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

export interface ProfileContext extends PreemptionContext, CoschedulingContext {
  api: Api
  cache: Cache
  world: World
  clock: Clock
  /** Fires when the scheduler is to end: whatever waits gives up. */
  stopping: AbortSignal
  /** Told what went wrong beside the scheduling of a pod. */
  onError: (error: unknown, doing: string) => void
}

/** The plugins of a profile, and where they take part; left out, wherever they can. */
export interface Assembled {
  readonly plugins: readonly Weighted[]
  readonly points?: PluginPoints
}

/** One way to schedule, for the pods that ask for it by name. */
export interface SchedulerProfile {
  readonly schedulerName: string
  /** Enough nodes to choose from; 0 or left out: the smaller a part of them, the more there are. */
  readonly percentageOfNodesToScore?: number
  assemble(context: ProfileContext): Assembled
}

export type PluginName = keyof typeof pluginMakers

/** Every plugin there is, in upstream's order, which decides whose reason people read; Coscheduling is none of upstream's. */
export const pluginMakers = {
  SchedulingGates: () => schedulingGates,
  PrioritySort: () => prioritySort,
  NodeUnschedulable: () => nodeUnschedulable,
  NodeName: () => nodeName,
  TaintToleration: () => taintToleration,
  NodeAffinity: (_, args) => newNodeAffinity(args.NodeAffinity),
  NodePorts: () => nodePorts,
  NodeResourcesFit: ({ cache, nominations }, args) =>
    newNodeResourcesFit(cache.columns, args.NodeResourcesFit, { cache, nominations }),
  VolumeRestrictions: ({ cache, world }) => newVolumeRestrictions(cache, world),
  NodeVolumeLimits: ({ world }) => newNodeVolumeLimits(world),
  VolumeBinding: (context, args) => newVolumeBinding(context, args.VolumeBinding),
  VolumeZone: ({ world }) => newVolumeZone(world),
  PodTopologySpread: ({ cache, world }, args) => newPodTopologySpread(cache, world, args.PodTopologySpread),
  InterPodAffinity: ({ cache, world }, args) => newInterPodAffinity(cache, world, args.InterPodAffinity),
  DynamicResources: (context, args) => newDynamicResources(context, args.DynamicResources),
  DefaultPreemption: (context, args) => newDefaultPreemption(context, args.DefaultPreemption),
  Coscheduling: (context) => newCoscheduling(context),
  NodeResourcesBalancedAllocation: ({ cache }, args) =>
    newNodeResourcesBalancedAllocation(cache.columns, args.NodeResourcesBalancedAllocation),
  ImageLocality: ({ cache }) => newImageLocality(cache),
  DefaultBinder: (context) => newDefaultBinder(context),
} satisfies Record<string, (context: ProfileContext, args: PluginArgs) => Plugin>

/** What the scores of plugins weigh where nobody says otherwise; those that are not named weigh 1. */
export const defaultWeights: Readonly<Partial<Record<PluginName, number>>> = {
  TaintToleration: 3,
  NodeAffinity: 2,
  PodTopologySpread: 2,
  InterPodAffinity: 2,
  DynamicResources: 2,
}

/** The plugins that run where nobody says otherwise. */
export const defaultPlugins = Object.keys(pluginMakers) as readonly PluginName[]

/** All plugins, each at all of its points, as upstream has it without a configuration. */
export const defaultProfile = (context: ProfileContext): readonly Weighted[] =>
  defaultPlugins.map((name) => ({
    plugin: pluginMakers[name](context, defaultArgs),
    weight: defaultWeights[name] ?? 1,
  }))
