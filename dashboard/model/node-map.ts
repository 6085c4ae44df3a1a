import type { Node } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { type Amounts, allocatableOf, requestsOf } from './amounts.ts'
import { type PodObject, viewOf } from './pods.ts'

export type NodeObject = Stored<Node>

/** A pod as a piece of its node's bar; positions are parts of the node's whole. */
export interface Piece {
  pod: PodObject
  left: number
  width: number
  /** How much of what it asks for it uses; undefined: not known. Above 1 it uses more. */
  use: number | undefined
}

export interface NodeBar {
  node: NodeObject
  ready: boolean
  cordoned: boolean
  /** Of the largest node. */
  size: number
  pieces: Piece[]
  requested: Amounts
  allocatable: Amounts
}

/** What a pod takes at least, so that one which asks for nothing can be seen. */
const leastWidth = 0.004

/** The pods of each node, those that are over left out. */
export function podsByNode(pods: Iterable<PodObject>): Map<string, PodObject[]> {
  const byNode = new Map<string, PodObject[]>()
  for (const pod of pods) {
    const node = pod.spec?.nodeName
    if (!node || viewOf(pod).health === 'over') continue
    const others = byNode.get(node)
    if (others) others.push(pod)
    else byNode.set(node, [pod])
  }
  return byNode
}

/** A node with its pods drawn to scale by one of the amounts. */
export function barOf(
  node: NodeObject,
  pods: readonly PodObject[],
  of: keyof Amounts,
  largest: number,
  usage: ReadonlyMap<string, Amounts>,
): NodeBar {
  const allocatable = allocatableOf(node)
  const whole = allocatable[of]
  const requested: Amounts = { cpuCores: 0, memoryBytes: 0 }
  const pieces: Piece[] = []
  let left = 0
  for (const pod of [...pods].sort(inOrder)) {
    const asks = requestsOf(pod)
    requested.cpuCores += asks.cpuCores
    requested.memoryBytes += asks.memoryBytes
    const uses = usage.get(`${pod.metadata.namespace}/${pod.metadata.name}`)
    // What asks for nothing is as wide as what it takes.
    const share = whole > 0 ? (asks[of] || (uses?.[of] ?? 0)) / whole : 0
    const width = Math.max(share, leastWidth)
    pieces.push({ pod, left, width, use: uses && (asks[of] > 0 ? uses[of] / asks[of] : 1) })
    left += width
  }
  // Those at least so wide may together be wider than the node.
  const fit = left > 1 ? 1 / left : 1
  return {
    node,
    ready: node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    cordoned: node.spec?.unschedulable === true,
    size: largest > 0 ? whole / largest : 1,
    pieces:
      fit === 1 ? pieces : pieces.map((piece) => ({ ...piece, left: piece.left * fit, width: piece.width * fit })),
    requested,
    allocatable,
  }
}

/** By workload, so that what belongs together stands together, and nothing jumps. */
function inOrder(a: PodObject, b: PodObject): number {
  const x = `${a.metadata.namespace}/${a.metadata.name}`
  const y = `${b.metadata.namespace}/${b.metadata.name}`
  return x < y ? -1 : x > y ? 1 : 0
}
