import type { NodeAffinity, TopologySpreadConstraint } from '../../api/generated/types.ts'

/** A resource that a score goes by, and what it counts for. */
export interface ResourceSpec {
  readonly name: string
  readonly weight: number
}

/** One point of a broken line: what a utilization in percent is worth, from 0 to 10. */
export interface ShapePoint {
  readonly utilization: number
  readonly score: number
}

export interface ScoringStrategy {
  readonly type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio'
  readonly resources: readonly ResourceSpec[]
  readonly requestedToCapacityRatio?: { readonly shape: readonly ShapePoint[] }
}

/** What an operator can set of each plugin, by upstream's names. */
export interface PluginArgs {
  readonly DefaultPreemption: {
    /** Enough nodes to choose victims from: this part of those that could do, and no fewer than that many. */
    readonly minCandidateNodesPercentage: number
    readonly minCandidateNodesAbsolute: number
  }
  readonly DynamicResources: {
    /** How long one node may be searched for devices, such as 500ms; 0s for as long as it takes. */
    readonly filterTimeout: string
  }
  readonly InterPodAffinity: {
    /** What it weighs that the pod is wanted where it would go by a pod that must have its like near. */
    readonly hardPodAffinityWeight: number
    /** What other pods wish matters only for a pod that has wishes itself. */
    readonly ignorePreferredTermsOfExistingPods: boolean
  }
  /** `addedAffinity` holds for every pod, beside its own. */
  readonly NodeAffinity: { readonly addedAffinity?: NodeAffinity }
  readonly NodeResourcesBalancedAllocation: { readonly resources: readonly ResourceSpec[] }
  readonly NodeResourcesFit: {
    /** Extended resources that others watch over: by name, or by what stands before the slash. */
    readonly ignoredResources: readonly string[]
    readonly ignoredResourceGroups: readonly string[]
    readonly scoringStrategy: ScoringStrategy
  }
  readonly PodTopologySpread: {
    /** Of pods that name none; with `System` these are upstream's own. */
    readonly defaultConstraints: readonly TopologySpreadConstraint[]
    readonly defaultingType: 'System' | 'List'
  }
  readonly VolumeBinding: { readonly bindTimeoutSeconds: number }
}

const cpuAndMemory: readonly ResourceSpec[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
]

/** Upstream's defaults. */
export const defaultArgs: PluginArgs = {
  DefaultPreemption: { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 },
  // Upstream's is 10 s, in one of many threads: here the lease of the leader waits for it, too.
  DynamicResources: { filterTimeout: '1s' },
  InterPodAffinity: { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false },
  NodeAffinity: {},
  NodeResourcesBalancedAllocation: { resources: cpuAndMemory },
  NodeResourcesFit: {
    ignoredResources: [],
    ignoredResourceGroups: [],
    scoringStrategy: { type: 'LeastAllocated', resources: cpuAndMemory },
  },
  PodTopologySpread: { defaultConstraints: [], defaultingType: 'System' },
  VolumeBinding: { bindTimeoutSeconds: 600 },
}
