import type { NodeInfo } from '../../scheduler/cache/node-info.ts'
import type { PodInfo } from '../../scheduler/framework/pod-info.ts'
import { defaultArgs } from '../../scheduler/plugins/args.ts'
import { type Spread, spreadsOf } from '../../scheduler/plugins/pod-topology-spread/constraints.ts'
import { EligibleCountsIndex } from '../../scheduler/plugins/pod-topology-spread/eligible-counts.ts'
import { SpreadCounts } from '../../scheduler/plugins/pod-topology-spread/spread-counts.ts'
import type { Simulation } from '../plan/simulation.ts'
import { isMovable } from './movable.ts'

/** One pod that would run better elsewhere. */
export interface Move {
  readonly pod: PodInfo
  readonly from: string
  /** Where the scheduler would put it today. */
  readonly to: string
  readonly why: string
}

export interface Limits {
  /** Nodes that are asked for more than this part of what they have are hot; from 0 to 1. */
  readonly hot: number
  readonly mostMoves: number
  /** Only pods of this namespace are moved; undefined: of any. */
  readonly namespace?: string
}

/**
 * The pods that would have to move for no node to be hot and every spread to hold, one after the other. Only moves that the
 * scheduler itself would make are among them: the pod is taken off, and has to be given another node that it makes no
 * hotter than allowed. The simulation is left as it would be after them.
 */
export function planMoves(simulation: Simulation, limits: Limits): Move[] {
  const moves: Move[] = []
  const moved = new Set<string>()
  const mayMove = (pod: PodInfo) =>
    isMovable(pod) && !moved.has(pod.uid) && (limits.namespace ?? pod.namespace) === pod.namespace
  const take = (move: Move | undefined) => {
    if (!move) return false
    moves.push(move)
    moved.add(move.pod.uid)
    return true
  }
  const isFull = () => moves.length >= limits.mostMoves
  while (!isFull() && take(moveForSpread(simulation, limits, mayMove)));
  for (const node of hottestFirst(simulation.cache.nodes, simulation)) {
    while (!isFull() && isHot(simulation, node, limits) && take(moveForHeat(simulation, limits, node, mayMove)));
  }
  return moves
}

interface Use {
  readonly resource: 'cpu' | 'memory'
  readonly part: number
}

/** What part of its cpu or memory, whichever is more, the pods of a node ask for. */
export function usedPart({ cache }: Simulation, { row }: NodeInfo): Use {
  const { cpu, memory } = cache.columns
  const part = ({ requested, allocatable }: typeof cpu) =>
    (allocatable[row] ?? 0) > 0 ? (requested[row] ?? 0) / (allocatable[row] ?? 1) : 0
  const [cpuPart, memoryPart] = [part(cpu), part(memory)]
  return cpuPart >= memoryPart ? { resource: 'cpu', part: cpuPart } : { resource: 'memory', part: memoryPart }
}

const isHot = (simulation: Simulation, node: NodeInfo, { hot }: Limits): boolean =>
  usedPart(simulation, node).part > hot

const hottestFirst = (nodes: readonly NodeInfo[], simulation: Simulation): NodeInfo[] =>
  [...nodes].sort((a, b) => usedPart(simulation, b).part - usedPart(simulation, a).part)

const percent = (part: number): string => `${Math.round(part * 100)}%`

/** Of the pods of a hot node, the first that cools it enough, or else the one that cools it most; the least important first. */
function moveForHeat(
  simulation: Simulation,
  limits: Limits,
  node: NodeInfo,
  mayMove: (pod: PodInfo) => boolean,
): Move | undefined {
  const before = usedPart(simulation, node)
  const size = ({ requests }: PodInfo) => (before.resource === 'cpu' ? requests.milliCpu : requests.memoryBytes)
  const candidates = node.pods
    .filter((pod) => mayMove(pod) && size(pod) > 0)
    .sort((a, b) => a.priority - b.priority || size(b) - size(a) || (a.key < b.key ? -1 : 1))
  for (const pod of candidates) {
    const to = simulation.move(pod, (target) => !isHot(simulation, target, limits))
    if (to === undefined) continue
    const after = usedPart(simulation, node)
    return {
      pod,
      from: node.name,
      to,
      why: `${percent(before.part)} of the node's ${before.resource} is asked for, ${percent(after.part)} without it`,
    }
  }
  return undefined
}

/** The first pod of a crowded domain that could go to another, where a pod's own constraint allows no such difference. */
function moveForSpread(simulation: Simulation, limits: Limits, mayMove: (pod: PodInfo) => boolean): Move | undefined {
  const { cache, world } = simulation
  const seen = new Set<string>()
  for (const node of cache.nodes) {
    for (const pod of [...node.pods]) {
      const constraints = pod.pod.spec?.topologySpreadConstraints
      if (!constraints?.length) continue
      // Pods of one template would all say the same.
      const template = `${pod.namespace}\n${JSON.stringify([constraints, pod.labels])}`
      if (seen.has(template)) continue
      seen.add(template)
      for (const kind of ['DoNotSchedule', 'ScheduleAnyway'] as const) {
        const spreads = spreadsOf(pod, kind, world, defaultArgs.PodTopologySpread)
        for (const spread of spreads) {
          const move = relieve(simulation, limits, { pod, spread, spreads, mayMove })
          if (move) return move
        }
      }
    }
  }
  return undefined
}

interface Broken {
  readonly pod: PodInfo
  readonly spread: Spread
  readonly spreads: readonly Spread[]
  readonly mayMove: (pod: PodInfo) => boolean
}

function relieve(simulation: Simulation, limits: Limits, { pod, spread, mayMove }: Broken): Move | undefined {
  const { cache } = simulation
  const counts = SpreadCounts.of([spread], pod, cache, new EligibleCountsIndex(cache)).byDomain(0, cache.nodes)
  const [most, least] = [Math.max(...counts.values()), Math.min(...counts.values())]
  if (counts.size < 2 || most - least <= spread.maxSkew) return undefined
  for (const node of cache.nodes) {
    const domain = node.labels[spread.topologyKey] ?? ''
    if ((counts.get(domain) ?? 0) < most) continue
    const members = node.pods.filter(
      (other) => other.namespace === pod.namespace && spread.matches(other.labels) && mayMove(other),
    )
    for (const member of members.sort((a, b) => a.priority - b.priority || (a.key < b.key ? -1 : 1))) {
      const isBetter = (target: NodeInfo) =>
        (counts.get(target.labels[spread.topologyKey] ?? '') ?? most) + 1 < most && !isHot(simulation, target, limits)
      const to = simulation.move(member, isBetter)
      if (to === undefined) continue
      const why = `${spread.topologyKey}: ${most} like it in ${domain}, ${least} where there are fewest (maxSkew ${spread.maxSkew})`
      return { pod: member, from: node.name, to, why }
    }
  }
  return undefined
}
