import type { Cache } from '../cache/cache.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { BestNodes } from '../decisions/decisions.ts'
import type { CycleState } from '../framework/cycle-state.ts'
import { type Framework, runFilters, type ScorePart } from '../framework/framework.ts'
import { type NodeRefusals, type Notes, type RefusedAlike, refusalsByName } from '../framework/node-refusals.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Refusal } from '../framework/refusal.ts'
import type { ByBasis } from './by-basis.ts'
import type { Kind, Table } from './table.ts'

/** The best node of all, or why none will do. What is said of refusals holds until the cache changes. */
export type Choice =
  | { readonly node: NodeInfo; readonly feasible: number; readonly best: BestNodes | undefined }
  | { readonly refusals: NodeRefusals }

const mostBest = 3

/** Chooses from a table that is up to date: each kind of nodes is filtered and scored once, by the best of its nodes. */
export function choose(
  { framework, cache, plugins }: { framework: Framework; cache: Cache; plugins: ByBasis },
  table: Table,
  state: CycleState,
  pod: PodInfo,
): Choice {
  const filters = plugins.filtersByKind(state)
  const feasible: Kind[] = []
  const refused = new Map<Kind, Refusal>()
  for (const kind of table.kinds) {
    const refusal = runFilters(state, pod, bestOf(cache, kind), filters)
    if (refusal) refused.set(kind, refusal)
    else feasible.push(kind)
  }
  // Where nothing but the node counts, what was found for a pod that is alike holds until the node changes.
  const found = filters.length === 0 ? table.promises : undefined
  const promised = promisedToOthers(framework, cache, table, state, pod, refused, found)
  for (const { node } of promised) table.kindOf(node)?.ranking.remove(node.row)
  try {
    const left = feasible.filter(({ ranking }) => ranking.size > 0)
    if (left.length === 0) {
      const refusals = refusalsOf(cache, table, refused, promised)
      return { refusals: filters.length === 0 ? { ...refusals, notes: table.notes } : refusals }
    }
    return bestNodes(framework, cache, table, state, pod, left)
  } finally {
    for (const { node } of promised) table.kindOf(node)?.ranking.add(node.row)
  }
}

const bestOf = (cache: Cache, { ranking }: Kind): NodeInfo => cache.nodeAt(ranking.at(0) as number) as NodeInfo

interface Promised {
  readonly node: NodeInfo
  readonly refusal: Refusal
}

/** Nodes that would do, were it not for pods that are to come there. */
function promisedToOthers(
  framework: Framework,
  cache: Cache,
  table: Table,
  state: CycleState,
  pod: PodInfo,
  refused: ReadonlyMap<Kind, Refusal>,
  known: Notes | undefined,
): Promised[] {
  const promised: Promised[] = []
  for (const name of framework.promised()) {
    const node = cache.node(name)
    const kind = node && table.kindOf(node)
    if (!kind || refused.has(kind)) continue
    const to = framework.promisedTo(name)
    // A pod leaves no room for itself.
    const notes = to.some(({ uid }) => uid === pod.uid) ? undefined : known
    const noted = notes?.get(node.row) as NotedPromise | undefined
    const isNoted = noted?.to === to && noted.priority === pod.priority
    const refusal = isNoted ? noted.refusal : framework.filter(state, pod, node)
    if (!isNoted) notes?.set(node.row, { to, priority: pod.priority, refusal } satisfies NotedPromise)
    if (refusal) promised.push({ node, refusal })
  }
  return promised
}

/** What came of asking whether there is room beside those that a node was promised to, for pods of a priority. */
interface NotedPromise {
  readonly to: readonly PodInfo[]
  readonly priority: number
  readonly refusal: Refusal | undefined
}

function bestNodes(
  framework: Framework,
  cache: Cache,
  table: Table,
  state: CycleState,
  pod: PodInfo,
  kinds: readonly Kind[],
): Choice {
  const standFor = kinds.map(({ ranking }) => ranking.size)
  const feasible = standFor.reduce((sum, size) => sum + size, 0)
  const nodes = kinds.map((kind) => bestOf(cache, kind))
  if (feasible === 1) return { node: nodes[0] as NodeInfo, feasible, best: undefined }
  const { parts } = framework.score(state, pod, nodes, standFor)
  const compared = parts.map(({ plugin }) => plugin.basis?.score !== 'node')
  const gains = kinds.map((_, i) =>
    parts.reduce((sum, { weight, scores }, p) => (compared[p] ? sum + weight * (scores[i] as number) : sum), 0),
  )
  const order = firstFew(table, kinds, gains)
  const best = order.map(([kind, row]) => spelledOut(cache.nodeAt(row) as NodeInfo, kind))
  return {
    node: cache.nodeAt((order[0] as Standing)[1]) as NodeInfo,
    feasible,
    best: {
      plugins: parts.map(({ plugin }) => plugin.name),
      nodes: best.map(({ name }) => name),
      scores: best.flatMap(({ scores }) => [scores.reduce((sum, score) => sum + score, 0), ...scores]),
    },
  }

  /** What each plugin gives a node: what compares nodes gives all of a kind the same. */
  function spelledOut(node: NodeInfo, kind: number): { name: string; scores: number[] } {
    const scoreOf = ({ plugin, scores }: ScorePart, compares: boolean) =>
      compares ? (scores[kind] as number) : plugin.score(state, pod, node)
    return { name: node.name, scores: parts.map((part, p) => part.weight * scoreOf(part, compared[p] as boolean)) }
  }
}

/** The number of the kind, the row, its place in the kind's ranking, and what all together is worth. */
type Standing = readonly [kind: number, row: number, place: number, worth: number]

/** The best rows of all kinds, the very best first. */
function firstFew(table: Table, kinds: readonly Kind[], gains: readonly number[]): Standing[] {
  const next: Standing[] = []
  const reach = (kind: number, place: number) => {
    const row = (kinds[kind] as Kind).ranking.at(place)
    if (row !== undefined) next.push([kind, row, place, (gains[kind] as number) + table.rank(row)])
  }
  for (const kind of kinds.keys()) reach(kind, 0)
  const found: Standing[] = []
  while (found.length < mostBest && next.length > 0) {
    let at = 0
    for (let i = 1; i < next.length; i++) if ((next[i] as Standing)[3] > (next[at] as Standing)[3]) at = i
    const [best] = next.splice(at, 1) as [Standing]
    found.push(best)
    const [kind, , place] = best
    reach(kind, 2 * place + 1)
    reach(kind, 2 * place + 2)
  }
  return found
}

function refusalsOf(
  cache: Cache,
  table: Table,
  refused: ReadonlyMap<Kind, Refusal>,
  promised: readonly Promised[],
): NodeRefusals {
  const byName = new Map(promised.map(({ node, refusal }) => [node.name, refusal]))
  return {
    size: cache.nodes.length,
    get(name) {
      const node = cache.node(name)
      if (!node) return undefined
      const kind = table.kindOf(node)
      return kind ? (refused.get(kind) ?? byName.get(name)) : table.refusalOf(node)
    },
    *alike(): Iterable<RefusedAlike> {
      for (const { refusal, nodes, verdict } of table.refused()) {
        yield { refusal, nodes, examples: (most) => table.refusedNodes(verdict, most).map(({ name }) => name) }
      }
      for (const [{ ranking }, refusal] of refused) {
        const names = (most: number) =>
          Array.from({ length: Math.min(most, ranking.size) }, (_, place) => {
            return (cache.nodeAt(ranking.at(place) as number) as NodeInfo).name
          })
        yield { refusal, nodes: ranking.size, examples: names }
      }
      yield* refusalsByName(byName).alike()
    },
  }
}
