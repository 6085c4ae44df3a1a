import type { Refusal } from './refusal.ts'

/** Nodes that were refused with the same words. */
export interface RefusedAlike {
  readonly refusal: Refusal
  readonly nodes: number
  /** Names of some of them. */
  examples(most: number): string[]
}

/** Why each node was refused. Of very many nodes, who asks gets to know it by kinds of refusals, or of one node. */
export interface NodeRefusals {
  readonly size: number
  get(nodeName: string): Refusal | undefined
  alike(): Iterable<RefusedAlike>
  /** Where nothing but the nodes counts for the pod: by row, what somebody has worked out for pods that are alike. */
  readonly notes?: Notes
}

/** What is noted of a node is forgotten as soon as the node or its pods change. */
export interface Notes {
  get(row: number): unknown
  set(row: number, note: unknown): void
}

/** Refusals that are kept by the names of the nodes. */
export function refusalsByName(perNode: ReadonlyMap<string, Refusal>): NodeRefusals {
  return {
    size: perNode.size,
    get: (name) => perNode.get(name),
    alike() {
      // Most refusals are made once for very many nodes.
      const names = new Map<Refusal, string[]>()
      for (const [name, refused] of perNode) {
        const others = names.get(refused)
        if (others) others.push(name)
        else names.set(refused, [name])
      }
      return [...names].map(([refusal, alike]) => ({
        refusal,
        nodes: alike.length,
        examples: (most: number) => alike.slice(0, most),
      }))
    },
  }
}

export const noRefusals: NodeRefusals = refusalsByName(new Map())
