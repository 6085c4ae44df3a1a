import type { Cache } from './cache/cache.ts'
import type { NodeInfo } from './cache/node-info.ts'
import type { BestNodes } from './decisions/decisions.ts'
import { filterBy, type OnFailure, scoresBy } from './extenders/ask.ts'
import type { Extender } from './extenders/extender.ts'
import { CycleState } from './framework/cycle-state.ts'
import { FitError } from './framework/fit-error.ts'
import type { Framework, Scores } from './framework/framework.ts'
import { type NodeRefusals, noRefusals, refusalsByName } from './framework/node-refusals.ts'
import type { Diagnosis } from './framework/plugin.ts'
import type { PodInfo } from './framework/pod-info.ts'
import { type Refusal, refusal } from './framework/refusal.ts'
import { choose } from './verdicts/choose.ts'
import type { Table } from './verdicts/table.ts'
import { Tables } from './verdicts/tables.ts'

/** There is no node at all. */
export class NoNodesError extends Error {
  constructor() {
    super('no nodes available to schedule pods')
  }
}

/** A FitError before anybody has tried to make room. */
export interface Misfit {
  readonly diagnosis: Diagnosis
  readonly preFilter?: Refusal
  readonly rejectors: ReadonlySet<string>
  readonly pending: ReadonlySet<string>
}

/** `state` takes the place of the cycle's where the node was looked at once more. */
export interface PlacedOn {
  nodeName: string
  evaluated: number
  feasible: number
  /** Missing where there was no choice. */
  best?: BestNodes
  state?: CycleState
}

export type Placed = PlacedOn | { misfit: Misfit }

interface Search {
  /** Where room has been made for the pod, if it will do. */
  nominated: NodeInfo | undefined
  candidates: readonly NodeInfo[]
  /** The plugins that have ruled out all others. */
  namers: ReadonlySet<string> | undefined
}

/** Below this many nodes all are looked at; above, the search ends when this part of them would do. */
const leastFeasible = 100
const leastPercentage = 5

/** Chooses nodes, one pod at a time. */
export class Placement {
  readonly #framework: Framework
  readonly #cache: Cache
  readonly #random: () => number
  readonly #percentage: number
  readonly #tables: Tables
  /** Searches start where the one before ended, so that all nodes get their turn. */
  #start = 0

  /** `percentage` of the nodes are enough to choose from; 0: the fewer, the more there are. */
  constructor(framework: Framework, cache: Cache, random: () => number = Math.random, percentage = 0) {
    this.#framework = framework
    this.#cache = cache
    this.#random = random
    this.#percentage = percentage
    this.#tables = new Tables(framework, cache, random)
  }

  /** The best node for the pod, or why none will do. Throws NoNodesError, and what plugins throw. */
  place(state: CycleState, pod: PodInfo): Placed {
    const search = this.#begin(state, pod)
    if ('misfit' in search) return search
    if (search.nominated) return { nodeName: search.nominated.name, evaluated: 1, feasible: 1 }
    const table = search.namers ? undefined : this.#tables.find(state, pod)
    if (table) return this.#choose(table, state, pod)
    const { feasible, refusals } = this.#findFeasible(state, pod, search.candidates)
    if (feasible.length === 0) return { misfit: misfitOf(refusalsByName(refusals), search.namers) }
    const counts = { evaluated: feasible.length + refusals.size, feasible: feasible.length }
    if (feasible.length === 1) return { nodeName: (feasible[0] as NodeInfo).name, ...counts }
    const scores = this.#framework.score(state, pod, feasible)
    const chosen = this.#highest(feasible, scores.totals)
    return { nodeName: chosen.name, ...counts, best: bestOf(feasible, scores, chosen) }
  }

  /** From all nodes, since nearly all is known of them. */
  #choose(table: Table, state: CycleState, pod: PodInfo): Placed {
    const [framework, cache] = [this.#framework, this.#cache]
    const choice = choose({ framework, cache, plugins: this.#tables.plugins }, table, state, pod)
    if ('refusals' in choice) return { misfit: misfitOf(choice.refusals, undefined) }
    const { node, feasible, best } = choice
    return { nodeName: node.name, evaluated: cache.nodes.length, feasible, ...(best ? { best } : {}) }
  }

  /**
   * The same where extenders have a say, who take their time: what the state knows of the node that is chosen is as of now.
   * Throws an Error where that node will no longer do.
   */
  async placeWith(
    extenders: readonly Extender[],
    state: CycleState,
    pod: PodInfo,
    onFailure: OnFailure,
  ): Promise<Placed> {
    const search = this.#begin(state, pod)
    if ('misfit' in search) return search
    if (search.nominated) {
      const [left] = await filterBy(extenders, pod, [search.nominated], new Map(), onFailure)
      if (left) return this.#standing(pod, left, 1)
    }
    const { feasible, refusals } = this.#findFeasible(state, pod, search.candidates)
    const left = await filterBy(extenders, pod, feasible, refusals, onFailure)
    if (left.length === 0) return { misfit: misfitOf(refusalsByName(refusals), search.namers) }
    if (left.length === 1) return this.#standing(pod, left[0] as NodeInfo, feasible.length + refusals.size)
    const more = await scoresBy(extenders, pod, left, onFailure)
    const scores = this.#framework.score(state, pod, left)
    const { totals } = scores
    for (let i = 0; i < left.length; i++) totals[i] = (totals[i] as number) + (more[i] as number)
    const chosen = this.#highest(left, totals)
    return { ...this.#standing(pod, chosen, feasible.length + refusals.size), best: bestOf(left, scores, chosen) }
  }

  /** Looks at the chosen node once more, for the cluster has gone on. */
  #standing(pod: PodInfo, { name }: NodeInfo, evaluated: number): PlacedOn {
    const node = this.#cache.node(name)
    const state = new CycleState()
    const { refusal: refused } = this.#framework.preFilter(state, pod, this.#cache.nodes)
    if (!node || refused || this.#framework.filter(state, pod, node)) {
      throw new Error(`node ${name} has changed while extenders were asked about it`)
    }
    return { nodeName: name, evaluated, feasible: 1, state }
  }

  #begin(state: CycleState, pod: PodInfo): Search | { misfit: Misfit } {
    const nodes = this.#cache.nodes
    if (nodes.length === 0) throw new NoNodesError()
    const first = this.#framework.preFilter(state, pod, nodes)
    if (first.refusal) return { misfit: refusedAtOnce(first.refusal, first.namers) }
    const only = first.nodes
    const promised = pod.nominatedNodeName === '' ? undefined : this.#cache.node(pod.nominatedNodeName)
    const nominated = promised && !this.#framework.filter(state, pod, promised) ? promised : undefined
    return {
      nominated,
      candidates: only ? [...only].flatMap((name) => this.#cache.node(name) ?? []) : nodes,
      namers: only && first.namers,
    }
  }

  #findFeasible(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
  ): { feasible: NodeInfo[]; refusals: Map<string, Refusal> } {
    const enough = feasibleNodesToFind(nodes.length, this.#percentage)
    const filters = this.#framework.filtersFor(state)
    const feasible: NodeInfo[] = []
    const refusals = new Map<string, Refusal>()
    for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
      const node = nodes[(this.#start + i) % nodes.length] as NodeInfo
      const refused = this.#framework.filter(state, pod, node, filters)
      if (refused) refusals.set(node.name, refused)
      else feasible.push(node)
    }
    this.#start = (this.#start + feasible.length + refusals.size) % this.#cache.nodes.length
    return { feasible, refusals }
  }

  /** The node with the highest score; among equals, any. */
  #highest(feasible: readonly NodeInfo[], scores: Float64Array): NodeInfo {
    let best = feasible[0] as NodeInfo
    let bestScore = Number.NEGATIVE_INFINITY
    let equals = 0
    for (let i = 0; i < feasible.length; i++) {
      const score = scores[i] as number
      if (score < bestScore) continue
      equals = score > bestScore ? 1 : equals + 1
      if (score > bestScore || this.#random() * equals < 1) best = feasible[i] as NodeInfo
      bestScore = score
    }
    return best
  }
}

const mostBest = 3

/** The chosen node and the next best, with what each plugin gave them. */
function bestOf(nodes: readonly NodeInfo[], { totals, parts }: Scores, chosen: NodeInfo): BestNodes {
  const best: number[] = []
  let least = Number.NEGATIVE_INFINITY
  for (let i = 0; i < nodes.length; i++) {
    const total = totals[i] as number
    if (best.length === mostBest && total <= least) continue
    let at = best.length
    while (at > 0 && (totals[best[at - 1] as number] as number) < total) at--
    best.splice(at, 0, i)
    if (best.length > mostBest) best.pop()
    least = totals[best.at(-1) as number] as number
  }
  const first = nodes.indexOf(chosen)
  const order = [first, ...best.filter((i) => i !== first)].slice(0, mostBest)
  return {
    plugins: parts.map(({ plugin }) => plugin.name),
    nodes: order.map((i) => (nodes[i] as NodeInfo).name),
    scores: order.flatMap((i) => [
      totals[i] as number,
      ...parts.map(({ weight, scores }) => weight * (scores[i] as number)),
    ]),
  }
}

/** How many nodes that would do are enough to choose from: half of 100, falling to 5% of very many; or what somebody set. */
export function feasibleNodesToFind(nodes: number, percentage = 0): number {
  if (nodes < leastFeasible) return nodes
  const part = percentage || Math.max(50 - Math.trunc(nodes / 125), leastPercentage)
  return Math.max(Math.trunc((nodes * part) / 100), leastFeasible)
}

function refusedAtOnce(refused: Refusal, namers: ReadonlySet<string>): Misfit {
  const isPending = refused.code === 'Pending'
  return {
    diagnosis: { perNode: noRefusals, others: refused },
    preFilter: refused,
    rejectors: isPending ? namers : new Set(namers).add(refused.plugin),
    pending: isPending ? new Set([refused.plugin]) : new Set(),
  }
}

/** `namers` are the plugins that ruled out all nodes that were not looked at. */
function misfitOf(refusals: NodeRefusals, namers: ReadonlySet<string> | undefined): Misfit {
  const rejectors = new Set(namers)
  const pending = new Set<string>()
  for (const {
    refusal: { code, plugin },
  } of refusals.alike())
    (code === 'Pending' ? pending : rejectors).add(plugin)
  const names = namers && [...namers].sort()
  const others =
    names &&
    refusal(names[0] ?? '', 'UnschedulableAndUnresolvable', `node(s) didn't satisfy plugin(s) [${names.join(' ')}]`)
  return { diagnosis: { perNode: refusals, ...(others ? { others } : {}) }, rejectors, pending }
}

/** The error that a misfit becomes when nobody could, or everybody tried to, make room. */
export const fitErrorOf = (misfit: Misfit, nodeCount: number, postFilterMessage?: string): FitError =>
  new FitError({ ...misfit, nodeCount, ...(postFilterMessage ? { postFilterMessage } : {}) })
