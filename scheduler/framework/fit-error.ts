import type { Refusal } from './refusal.ts'

/** No node would do. Its message counts the nodes for each reason, in upstream's words. */
export class FitError extends Error {
  /** Plugins whose minds must change before another try is worthwhile. */
  readonly rejectors: ReadonlySet<string>
  readonly pending: ReadonlySet<string>

  constructor(parts: FitErrorParts) {
    super(fitMessage(parts))
    this.rejectors = parts.rejectors
    this.pending = parts.pending ?? new Set()
  }
}

/** How many nodes were refused for each reason. */
export interface RefusalCounts {
  readonly size: number
  alike(): Iterable<{ readonly refusal: Refusal; readonly nodes: number }>
}

export interface FitErrorParts {
  nodeCount: number
  /** `others`: of the nodes that are not counted. */
  diagnosis: { readonly perNode: RefusalCounts; readonly others?: Refusal }
  /** Set where the pod was refused before any node was looked at. */
  preFilter?: Refusal
  /** What the attempt to make room had to say. */
  postFilterMessage?: string
  rejectors: ReadonlySet<string>
  pending?: ReadonlySet<string>
}

/** `0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: …` */
export function fitMessage({
  nodeCount,
  diagnosis,
  preFilter,
  postFilterMessage,
}: Omit<FitErrorParts, 'rejectors'>): string {
  let message = `0/${nodeCount} nodes are available:`
  if (preFilter) message += ` ${preFilter.reasons.join(', ')}.`
  else {
    const counts = countReasons(nodeCount, diagnosis)
    if (counts.length > 0) message += ` ${counts.join(', ')}.`
  }
  return postFilterMessage ? `${message} ${postFilterMessage}` : message
}

function countReasons(nodeCount: number, { perNode, others }: FitErrorParts['diagnosis']): string[] {
  const counts = new Map<string, number>()
  const count = (reasons: readonly string[], nodes: number) => {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + nodes)
  }
  for (const { refusal, nodes } of perNode.alike()) count(refusal.reasons, nodes)
  if (others && perNode.size < nodeCount) count(others.reasons, nodeCount - perNode.size)
  return [...counts].map(([reason, nodes]) => `${nodes} ${reason}`).sort()
}
