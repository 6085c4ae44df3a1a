import type { Cache } from './cache/cache.ts'
import type { NodeInfo } from './cache/node-info.ts'
import type { CycleState } from './framework/cycle-state.ts'
import { FitError } from './framework/fit-error.ts'
import type { Framework } from './framework/framework.ts'
import type { Diagnosis } from './framework/plugin.ts'
import type { PodInfo } from './framework/pod-info.ts'
import { type Refusal, refusal } from './framework/refusal.ts'

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

export type Placed = { nodeName: string; evaluated: number; feasible: number } | { misfit: Misfit }

/** Below this many nodes all are looked at; above, the search ends when this part of them would do. */
const leastFeasible = 100
const leastPercentage = 5

/** Chooses nodes, one pod at a time. */
export class Placement {
  readonly #framework: Framework
  readonly #cache: Cache
  readonly #random: () => number
  /** Searches start where the one before ended, so that all nodes get their turn. */
  #start = 0

  constructor(framework: Framework, cache: Cache, random: () => number = Math.random) {
    this.#framework = framework
    this.#cache = cache
    this.#random = random
  }

  /** The best node for the pod, or why none will do. Throws NoNodesError, and what plugins throw. */
  place(state: CycleState, pod: PodInfo): Placed {
    const nodes = this.#cache.nodes
    if (nodes.length === 0) throw new NoNodesError()
    const {
      refusal: refused,
      nodes: only,
      namers,
    } = { nodes: undefined, ...this.#framework.preFilter(state, pod, nodes) }
    if (refused) return { misfit: refusedAtOnce(refused, namers) }

    const nominated = pod.nominatedNodeName === '' ? undefined : this.#cache.node(pod.nominatedNodeName)
    if (nominated && !this.#framework.filter(state, pod, nominated)) {
      return { nodeName: nominated.name, evaluated: 1, feasible: 1 }
    }

    const candidates = only ? [...only].flatMap((name) => this.#cache.node(name) ?? []) : nodes
    const { feasible, refusals } = this.#findFeasible(state, pod, candidates)
    this.#start = (this.#start + feasible.length + refusals.size) % nodes.length
    if (feasible.length === 0) return { misfit: misfitOf(refusals, only && namers) }
    return {
      nodeName: this.#best(state, pod, feasible).name,
      evaluated: feasible.length + refusals.size,
      feasible: feasible.length,
    }
  }

  #findFeasible(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
  ): { feasible: NodeInfo[]; refusals: Map<string, Refusal> } {
    const enough = feasibleNodesToFind(nodes.length)
    const filters = this.#framework.filtersFor(state)
    const feasible: NodeInfo[] = []
    const refusals = new Map<string, Refusal>()
    for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
      const node = nodes[(this.#start + i) % nodes.length] as NodeInfo
      const refused = this.#framework.filter(state, pod, node, filters)
      if (refused) refusals.set(node.name, refused)
      else feasible.push(node)
    }
    return { feasible, refusals }
  }

  /** The highest score; among equals, any. */
  #best(state: CycleState, pod: PodInfo, feasible: readonly NodeInfo[]): NodeInfo {
    const [first] = feasible as readonly [NodeInfo, ...NodeInfo[]]
    if (feasible.length === 1) return first
    const scores = this.#framework.score(state, pod, feasible)
    let best = first
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

/** How many nodes that would do are enough to choose from: half of 100, falling to 5% of very many. */
export function feasibleNodesToFind(nodes: number): number {
  if (nodes < leastFeasible) return nodes
  const percentage = Math.max(50 - Math.trunc(nodes / 125), leastPercentage)
  return Math.max(Math.trunc((nodes * percentage) / 100), leastFeasible)
}

function refusedAtOnce(refused: Refusal, namers: ReadonlySet<string>): Misfit {
  const isPending = refused.code === 'Pending'
  return {
    diagnosis: { perNode: new Map(), others: refused },
    preFilter: refused,
    rejectors: isPending ? namers : new Set(namers).add(refused.plugin),
    pending: isPending ? new Set([refused.plugin]) : new Set(),
  }
}

/** `namers` are the plugins that ruled out all nodes that were not looked at. */
function misfitOf(refusals: ReadonlyMap<string, Refusal>, namers: ReadonlySet<string> | undefined): Misfit {
  const rejectors = new Set(namers)
  const pending = new Set<string>()
  for (const { code, plugin } of refusals.values()) (code === 'Pending' ? pending : rejectors).add(plugin)
  const names = namers && [...namers].sort()
  const others =
    names &&
    refusal(names[0] ?? '', 'UnschedulableAndUnresolvable', `node(s) didn't satisfy plugin(s) [${names.join(' ')}]`)
  return { diagnosis: { perNode: refusals, ...(others ? { others } : {}) }, rejectors, pending }
}

/** The error that a misfit becomes when nobody could, or everybody tried to, make room. */
export const fitErrorOf = (misfit: Misfit, nodeCount: number, postFilterMessage?: string): FitError =>
  new FitError({ ...misfit, nodeCount, ...(postFilterMessage ? { postFilterMessage } : {}) })
