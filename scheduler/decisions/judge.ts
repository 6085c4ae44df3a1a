import type { Cache } from '../cache/cache.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { CycleState } from '../framework/cycle-state.ts'
import type { Framework } from '../framework/framework.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Refusal } from '../framework/refusal.ts'

/** What the scheduler would make of one node for a pod. */
export interface Verdict {
  node: NodeInfo
  /** Of every plugin that says no, not of the first alone; empty where the pod could run. */
  refusals: readonly Refusal[]
}

export interface Judged {
  /** The pod as a whole was refused, before any node was looked at. */
  refused?: Refusal
  verdicts: readonly Verdict[]
  /** Of the nodes where the pod could run, by plugin, weighted; the best first. */
  ranking: readonly { node: NodeInfo; total: number; scores: ReadonlyMap<string, number> }[]
}

/** Asks every plugin about every node for a pod that is on none. Changes nothing. */
export function judge(framework: Framework, cache: Cache, pod: PodInfo): Judged {
  const refused = gateOf(framework, pod)
  if (refused) return { refused, verdicts: [], ranking: [] }
  const state = new CycleState()
  const all = cache.nodes
  const first = framework.preFilter(state, pod, all)
  if (first.refusal) return { refused: first.refusal, verdicts: [], ranking: [] }
  const filters = framework.filtersFor(state)
  const verdicts = all.map((node): Verdict => {
    const named = first.nodes === undefined || first.nodes.has(node.name)
    const refusals = filters.flatMap((plugin) => plugin.filter(state, pod, node) ?? [])
    if (named || refusals.length > 0) return { node, refusals }
    const plugin = [...first.namers].sort().join(', ')
    return {
      node,
      refusals: [{ plugin, code: 'UnschedulableAndUnresolvable', reasons: ['another node is asked for'] }],
    }
  })
  const feasible = verdicts.flatMap(({ node, refusals }) => (refusals.length === 0 ? [node] : []))
  const { totals, parts } = framework.score(state, pod, feasible)
  const ranking = feasible.map((node, i) => ({
    node,
    total: totals[i] as number,
    scores: new Map(parts.map(({ plugin, weight, scores }) => [plugin.name, weight * (scores[i] as number)])),
  }))
  return { verdicts, ranking: ranking.sort((a, b) => b.total - a.total) }
}

/** What keeps the pod out of the queue. */
export function gateOf({ queuePlugins }: Framework, pod: PodInfo): Refusal | undefined {
  for (const plugin of queuePlugins) {
    const refused = plugin.preEnqueue?.(pod)
    if (refused) return refused
  }
  return undefined
}
