import { formatTime } from '../../api/machinery/time.ts'
import type { NodeRefusals } from '../framework/node-refusals.ts'
import type { PodInfo } from '../framework/pod-info.ts'

/** The best nodes of a decision. The scores of a node stand together: its sum, and what each plugin gave. */
export interface BestNodes {
  readonly plugins: readonly string[]
  readonly nodes: readonly string[]
  readonly scores: readonly number[]
}

/** What was decided about a pod. Kept for very many pods, and so small. */
export interface Kept {
  readonly uid: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly result: 'scheduled' | 'unschedulable' | 'error'
  readonly nodeName?: string
  readonly message?: string
  /** How many nodes there were, were looked at, and would have done. */
  readonly nodes: number
  readonly evaluated: number
  readonly feasible: number
  readonly best?: BestNodes
  readonly refusals?: readonly RefusedNodes[]
}

/** Nodes that were refused alike. */
export interface RefusedNodes {
  readonly plugin: string
  readonly reasons: readonly string[]
  readonly nodes: number
  /** Some of them. */
  readonly examples: readonly string[]
}

/** A decision as others are told it. */
export interface Decision extends Omit<Kept, 'at' | 'best'> {
  readonly at: string
  readonly best: readonly { node: string; total: number; scores: Readonly<Record<string, number>> }[]
}

/** What the scheduler answers when it is asked about a pod. */
export interface Why {
  readonly decision: Decision
  /** What would have to change now, in words, for a pod that waits for a node. */
  readonly remedies: readonly string[]
}

const mostKept = 50_000
const mostGroups = 20
const mostExamples = 3

/** The last decision about each pod; of very many pods, those that were decided about last. */
export class Decisions {
  readonly #most: number
  readonly #byPod = new Map<string, Kept>()

  constructor(most = mostKept) {
    this.#most = most
  }

  set({ key }: PodInfo, decision: Kept): void {
    // The last to be set is the last to be forgotten.
    this.#byPod.delete(key)
    this.#byPod.set(key, decision)
    if (this.#byPod.size <= this.#most) return
    const [oldest] = this.#byPod.keys()
    if (oldest !== undefined) this.#byPod.delete(oldest)
  }

  delete({ key, uid }: PodInfo): void {
    if (this.#byPod.get(key)?.uid === uid) this.#byPod.delete(key)
  }

  /** `namespace/name`; undefined also for a pod of that name that was another one. */
  get(key: string, uid?: string): Decision | undefined {
    const kept = this.#byPod.get(key)
    if (!kept || (uid !== undefined && uid !== kept.uid)) return undefined
    const { at, best, ...decision } = kept
    return { ...decision, at: formatTime(at), best: best ? spelledOut(best) : [] }
  }
}

function spelledOut({ plugins, nodes, scores }: BestNodes): Decision['best'] {
  const width = plugins.length + 1
  return nodes.map((node, i) => ({
    node,
    total: scores[i * width] ?? 0,
    scores: Object.fromEntries(plugins.map((plugin, j) => [plugin, scores[i * width + 1 + j] ?? 0])),
  }))
}

/** Nodes refused alike, put together; most nodes first. */
export function refusedNodes(perNode: NodeRefusals): RefusedNodes[] {
  const groups = new Map<string, RefusedNodes>()
  for (const refused of perNode.alike()) {
    const { plugin, reasons } = refused.refusal
    const key = `${plugin}\n${reasons.join('\n')}`
    const alike = groups.get(key)
    groups.set(key, {
      plugin,
      reasons,
      nodes: refused.nodes + (alike?.nodes ?? 0),
      examples: [...(alike?.examples ?? []), ...refused.examples(mostExamples)].slice(0, mostExamples),
    })
  }
  return [...groups.values()].sort((a, b) => b.nodes - a.nodes).slice(0, mostGroups)
}
