import type { Cache } from '../../cache/cache.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import { maxScore } from '../../framework/plugin.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import type { World } from '../../framework/world.ts'
import type { PluginArgs } from '../args.ts'
import { countMatching, hasAllKeys, hasOwnConstraints, hostnameLabel, type Spread, spreadsOf } from './constraints.ts'

export interface SpreadScore {
  readonly spreads: readonly Spread[]
  /** Matching pods by domain, for each constraint but those over hosts. */
  readonly counts: readonly Map<string, number>[]
  /** Matching pods by node, for each constraint. */
  readonly byNode: readonly ReadonlyMap<NodeInfo, number>[]
  /** The more domains, the more one pod more in a domain weighs. */
  readonly weights: readonly number[]
  /** Nodes without all the labels; they score nothing. */
  readonly ignored: ReadonlySet<NodeInfo>
}

/** Undefined where the pod has no soft constraint. */
export function prepareSpreadScore(
  pod: PodInfo,
  candidates: readonly NodeInfo[],
  { cache, world, args }: { cache: Cache; world: World; args: PluginArgs['PodTopologySpread'] },
): SpreadScore | undefined {
  const spreads = spreadsOf(pod, 'ScheduleAnyway', world, args)
  if (spreads.length === 0) return undefined
  // Upstream's defaults spread over hosts even where nodes have no zone.
  const needsAllKeys = hasOwnConstraints(pod) || args.defaultingType !== 'System'
  const ignored = new Set(needsAllKeys ? candidates.filter(({ labels }) => !hasAllKeys(labels, spreads)) : [])
  const byNode = spreads.map((spread) => countMatching(cache, spread, pod.namespace))
  const counts = spreads.map((spread, i) => {
    const domains = new Map<string, number>()
    if (isHost(spread)) return domains
    for (const node of candidates) {
      if (!ignored.has(node)) domains.set(node.labels[spread.topologyKey] ?? '', 0)
    }
    for (const [node, count] of byNode[i] as ReadonlyMap<NodeInfo, number>) {
      if (node.node === undefined || !spread.includes(node)) continue
      if (needsAllKeys && !hasAllKeys(node.labels, spreads)) continue
      const domain = node.labels[spread.topologyKey] ?? ''
      const known = domains.get(domain)
      if (known !== undefined) domains.set(domain, known + count)
    }
    return domains
  })
  const weights = spreads.map((spread, i) =>
    Math.log((isHost(spread) ? candidates.length - ignored.size : (counts[i]?.size ?? 0)) + 2),
  )
  return { spreads, counts, byNode, weights, ignored }
}

const isHost = ({ topologyKey }: Spread): boolean => topologyKey === hostnameLabel

/** The more alike pods there are where the node is, the higher; see {@link normalizeSpread}. */
export function spreadScore({ spreads, counts, byNode, weights, ignored }: SpreadScore, node: NodeInfo): number {
  if (ignored.has(node)) return 0
  let score = 0
  for (const [i, spread] of spreads.entries()) {
    const domain = node.labels[spread.topologyKey]
    if (domain === undefined) continue
    const count = (isHost(spread) ? byNode[i]?.get(node) : counts[i]?.get(domain)) ?? 0
    score += count * (weights[i] as number) + (spread.maxSkew - 1)
  }
  return Math.round(score)
}

/** Turns the counts around: the emptiest scores best. */
export function normalizeSpread({ ignored }: SpreadScore, scores: Float64Array, nodes: readonly NodeInfo[]): void {
  let least = Number.POSITIVE_INFINITY
  let most = 0
  for (const [i, node] of nodes.entries()) {
    if (ignored.has(node)) continue
    least = Math.min(least, scores[i] as number)
    most = Math.max(most, scores[i] as number)
  }
  for (const [i, node] of nodes.entries()) {
    if (ignored.has(node)) scores[i] = 0
    else if (most === 0) scores[i] = maxScore
    else scores[i] = Math.trunc((maxScore * (most + least - (scores[i] as number))) / most)
  }
}
