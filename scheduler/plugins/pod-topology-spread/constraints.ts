import type { LabelSelector, TopologySpreadConstraint } from '../../../api/generated/types.ts'
import type { LabelMatcher, Labels } from '../../../api/machinery/labels.ts'
import { labelSelectorMatcher } from '../../../api/machinery/labels.ts'
import { type AlikePods, countByNode } from '../../cache/alike-pods.ts'
import type { Cache } from '../../cache/cache.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import { type NodeTest, requiredNodeTest } from '../../framework/node-affinity.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { untoleratedTaint } from '../../framework/tolerations.ts'
import type { World } from '../../framework/world.ts'
import type { PluginArgs } from '../args.ts'

export const hostnameLabel = 'kubernetes.io/hostname'

/** Beyond what: forbid the node, or only like it less. */
export type WhenUnsatisfiable = 'DoNotSchedule' | 'ScheduleAnyway'

/** A constraint, worked out for one pod. */
export interface Spread {
  readonly maxSkew: number
  readonly topologyKey: string
  readonly selector: LabelSelector | undefined
  readonly minDomains: number
  readonly matches: LabelMatcher
  /** Labels without which nothing matches. */
  readonly required: Labels
  /** An empty selector matches the pod itself and counts no others, as upstream has it. */
  readonly countsNobody: boolean
  /** Whether the pods of a node count at all. */
  includes(node: NodeInfo): boolean
  /** Whether those of every node do. */
  readonly includesEvery: boolean
  /** Which nodes count, beside what the pod's own selectors and tolerations say. */
  readonly policies: string
}

/** What upstream spreads by where the pod says nothing: softly, over hosts and zones, whatever a controller owns. */
const systemDefaults: readonly TopologySpreadConstraint[] = [
  { topologyKey: hostnameLabel, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
]

export const hasOwnConstraints = ({ pod }: PodInfo): boolean => (pod.spec?.topologySpreadConstraints?.length ?? 0) > 0

type Args = PluginArgs['PodTopologySpread']

const defaultsOf = ({ defaultingType, defaultConstraints }: Args): readonly TopologySpreadConstraint[] =>
  defaultingType === 'System' ? systemDefaults : defaultConstraints

/** The pod's constraints of one kind, or the defaults. */
export function spreadsOf(pod: PodInfo, kind: WhenUnsatisfiable, world: World, args: Args): Spread[] {
  const own = hasOwnConstraints(pod)
  const all = own ? (pod.pod.spec?.topologySpreadConstraints ?? []) : defaultsOf(args)
  const constraints = all.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === kind)
  if (constraints.length === 0) return []
  const nodeTest = requiredNodeTest(pod.pod)
  if (own) {
    return constraints.map((constraint) => newSpread(constraint, pod, nodeTest, withPodLabels(constraint, pod.labels)))
  }
  const selector = siblingSelector(pod, world)
  return selector ? constraints.map((constraint) => newSpread(constraint, pod, nodeTest, selector)) : []
}

function newSpread(
  { maxSkew, topologyKey, minDomains = 1, nodeAffinityPolicy, nodeTaintsPolicy }: TopologySpreadConstraint,
  pod: PodInfo,
  nodeTest: NodeTest | undefined,
  selector: LabelSelector | undefined,
): Spread {
  const honorsAffinity = (nodeAffinityPolicy ?? 'Honor') === 'Honor'
  const honorsTaints = nodeTaintsPolicy === 'Honor'
  return {
    maxSkew,
    topologyKey,
    selector,
    minDomains,
    matches: selector ? labelSelectorMatcher(selector) : () => false,
    required: selector?.matchLabels ?? {},
    countsNobody: selector !== undefined && isEmpty(selector),
    policies: `${honorsAffinity}/${honorsTaints}`,
    includesEvery: (!honorsAffinity || !nodeTest) && !honorsTaints,
    includes: (node) =>
      (!honorsAffinity || !nodeTest || nodeTest(node)) &&
      (!honorsTaints || untoleratedTaint(node.taints, pod.tolerations) === undefined),
  }
}

function withPodLabels(
  { labelSelector, matchLabelKeys = [] }: TopologySpreadConstraint,
  labels: Labels,
): LabelSelector | undefined {
  const keys = matchLabelKeys.filter((key) => labels[key] !== undefined)
  if (!labelSelector || keys.length === 0) return labelSelector
  const expressions = keys.map((key) => ({ key, operator: 'In', values: [labels[key] as string] }))
  return { ...labelSelector, matchExpressions: [...(labelSelector.matchExpressions ?? []), ...expressions] }
}

/** What selects the pod and its like: the services that match it and the controller that owns it, all together. */
function siblingSelector(pod: PodInfo, world: World): LabelSelector | undefined {
  const matchLabels: Record<string, string> = {}
  for (const selector of world.serviceSelectors(pod.namespace)) {
    const pairs = Object.entries(selector)
    if (pairs.every(([key, value]) => pod.labels[key] === value)) Object.assign(matchLabels, selector)
  }
  const owner = pod.pod.metadata.ownerReferences?.find(({ controller }) => controller)
  const owned = owner && world.controllerSelector(owner.apiVersion, owner.kind, pod.namespace, owner.name)
  const pairs = Object.entries(owned?.matchLabels ?? {})
  // A controller that no longer selects its pod, which a service does, selects nobody together with it.
  const conflicting = pairs.filter(([key, value]) => (matchLabels[key] ?? value) !== value)
  const selector: LabelSelector = {
    matchLabels: { ...Object.fromEntries(pairs), ...matchLabels },
    matchExpressions: [
      ...(owned?.matchExpressions ?? []),
      ...conflicting.map(([key, value]) => ({ key, operator: 'In', values: [value] })),
    ],
  }
  return isEmpty(selector) ? undefined : selector
}

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0

export const hasAllKeys = (labels: Labels, spreads: readonly Spread[]): boolean =>
  spreads.every(({ topologyKey }) => labels[topologyKey] !== undefined)

/** Whether every node counts that has the constraint's own label: those without it are in no domain anyway. */
export const includesAll = (spreads: readonly Spread[], { topologies }: Cache): boolean =>
  spreads.every(
    ({ includesEvery, topologyKey }) =>
      includesEvery && (spreads.length === 1 || topologies.of(topologyKey).outside === 0),
  )

const nobody: readonly AlikePods[] = []

/** The pods that a constraint counts: those of the namespace that match and are not about to go. */
export function findMatching(cache: Cache, spread: Spread, namespace: string): readonly AlikePods[] {
  if (spread.countsNobody) return nobody
  return cache.alikePods.find({ namespace, matches: spread.matches, required: spread.required })
}

/** How many of them each node has. */
export const countMatching = (cache: Cache, spread: Spread, namespace: string): ReadonlyMap<NodeInfo, number> =>
  countByNode(findMatching(cache, spread, namespace))
