import type { Cache } from '../../cache/cache.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import type { Topology } from '../../cache/topology.ts'
import { type Kinds, maxScore } from '../../framework/plugin.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import type { World } from '../../framework/world.ts'
import type { PluginArgs } from '../args.ts'
import {
  countMatching,
  findMatching,
  hasAllKeys,
  hasOwnConstraints,
  hostnameLabel,
  includesAll,
  type Spread,
  spreadsOf,
} from './constraints.ts'
import type { EligibleCountsIndex } from './eligible-counts.ts'
import { domainCounts } from './spread-counts.ts'

/** One soft constraint, worked out for the nodes in question. */
interface Part {
  readonly topology: Topology
  readonly maxSkew: number
  /** The more domains, the more one pod more in a domain weighs. */
  readonly weight: number
  /** Matching pods where the node is: on itself, for a constraint over hosts, or in its domain. */
  count(node: NodeInfo, domain: number): number
}

export interface SpreadScore {
  readonly parts: readonly Part[]
  /** Nodes without all the labels; they score nothing. Undefined where there are none. */
  readonly ignored: ReadonlySet<NodeInfo> | undefined
}

export interface SpreadContext {
  readonly cache: Cache
  readonly world: World
  readonly eligible: EligibleCountsIndex
  readonly args: PluginArgs['PodTopologySpread']
}

/** The soft constraints of the pod. */
export const softSpreads = (pod: PodInfo, { world, args }: SpreadContext): readonly Spread[] =>
  spreadsOf(pod, 'ScheduleAnyway', world, args)

/** What tells nodes apart in the score: how many pods are on them, for a constraint over hosts, or their domain. */
export function softKinds(spreads: readonly Spread[], pod: PodInfo, { cache }: SpreadContext): Kinds | undefined {
  if (spreads.length === 0) return undefined
  const parts = spreads.map((spread) => {
    const topology = cache.topologies.of(spread.topologyKey)
    if (spread.topologyKey !== hostnameLabel) return { topology, of: (node: NodeInfo) => topology.of(node) }
    const byNode = countMatching(cache, spread, pod.namespace)
    return { topology, of: (node: NodeInfo) => byNode.get(node) ?? 0 }
  })
  return {
    key: spreads.map(({ topologyKey, selector }) => JSON.stringify([topologyKey, selector])).join(),
    of(node) {
      let kind = ''
      for (const { topology, of } of parts) kind += topology.of(node) < 0 ? '-,' : `${of(node)},`
      return kind
    },
  }
}

/** Works out the constraints for some nodes; where those stand for others, `standFor` says for how many. */
export function prepareSpreadScore(
  spreads: readonly Spread[],
  pod: PodInfo,
  candidates: readonly NodeInfo[],
  { cache, args, eligible }: SpreadContext,
  standFor?: readonly number[],
): SpreadScore {
  // Upstream's defaults spread over hosts even where nodes have no zone.
  const needsAllKeys = hasOwnConstraints(pod) || args.defaultingType !== 'System'
  const topologies = spreads.map(({ topologyKey }) => cache.topologies.of(topologyKey))
  const mayLack = needsAllKeys && topologies.some(({ outside }) => outside > 0)
  const without = mayLack ? candidates.filter(({ labels }) => !hasAllKeys(labels, spreads)) : []
  const ignored = without.length > 0 ? new Set(without) : undefined
  const scored = numberOf(candidates, ignored, standFor)
  const isKept = needsAllKeys ? includesAll(spreads, cache) : spreads.every(({ includesEvery }) => includesEvery)
  const parts = spreads.map((spread, i): Part => {
    const topology = topologies[i] as Topology
    const { maxSkew } = spread
    if (spread.topologyKey === hostnameLabel) {
      const byNode = countMatching(cache, spread, pod.namespace)
      return { topology, maxSkew, weight: weightOf(scored), count: (node) => byNode.get(node) ?? 0 }
    }
    const weight = weightOf(domainsOf(candidates, ignored, topology))
    if (isKept) {
      const kept = domainCounts(findMatching(cache, spread, pod.namespace), topology)
      return { topology, maxSkew, weight, count: (_, domain) => kept.get(domain) }
    }
    const { counts } = eligible.of(spread, pod, needsAllKeys ? spreads : [])
    return { topology, maxSkew, weight, count: (_, domain) => counts.get(domain) }
  })
  return { parts, ignored }
}

function numberOf(
  nodes: readonly NodeInfo[],
  ignored: ReadonlySet<NodeInfo> | undefined,
  standFor: readonly number[] | undefined,
): number {
  if (!standFor) return nodes.length - (ignored?.size ?? 0)
  return nodes.reduce((sum, node, i) => (ignored?.has(node) ? sum : sum + (standFor[i] as number)), 0)
}

const weightOf = (domains: number): number => Math.log(domains + 2)

/** How many domains the nodes are in; to be in none counts as one. */
function domainsOf(nodes: readonly NodeInfo[], ignored: ReadonlySet<NodeInfo> | undefined, topology: Topology): number {
  const seen = new Set<number>()
  let last: number | undefined
  for (const node of nodes) {
    const domain = topology.of(node)
    if (domain === last || ignored?.has(node)) continue
    last = domain
    seen.add(domain)
  }
  return seen.size
}

/** The more alike pods there are where the node is, the higher; see {@link normalizeSpread}. */
export function spreadScore({ parts, ignored }: SpreadScore, node: NodeInfo): number {
  if (ignored?.has(node)) return 0
  let score = 0
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Part
    const domain = part.topology.of(node)
    if (domain >= 0) score += part.count(node, domain) * part.weight + (part.maxSkew - 1)
  }
  return Math.round(score)
}

/** Turns the counts around: the emptiest scores best. */
export function normalizeSpread({ ignored }: SpreadScore, scores: Float64Array, nodes: readonly NodeInfo[]): void {
  let least = Number.POSITIVE_INFINITY
  let most = 0
  for (let i = 0; i < nodes.length; i++) {
    if (ignored?.has(nodes[i] as NodeInfo)) continue
    const score = scores[i] as number
    if (score < least) least = score
    if (score > most) most = score
  }
  for (let i = 0; i < nodes.length; i++) {
    if (ignored?.has(nodes[i] as NodeInfo)) scores[i] = 0
    else if (most === 0) scores[i] = maxScore
    else scores[i] = Math.trunc((maxScore * (most + least - (scores[i] as number))) / most)
  }
}
