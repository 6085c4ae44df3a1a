import type { ContainerSample, NodeSample, Sample } from './exposition.ts'

/** What is used: CPU as a rate over the window that ends at the time. */
export interface Usage {
  cpuCores: number
  memoryBytes: number
  timeMs: number
  windowMs: number
}

export interface NodeUsage {
  node: Usage | undefined
  /** By `namespace/name`, then by container; only pods of which all is known. */
  pods: Map<string, Map<string, Usage>>
}

/** Nearer together, two samples say little of a rate. */
export const leastWindowMs = 900

/** The rates between two samples of a node. */
export function usageBetween(before: NodeSample, after: NodeSample): NodeUsage {
  const pods = new Map<string, Map<string, Usage>>()
  for (const [pod, containers] of after.pods) {
    const own = new Map<string, Usage>()
    for (const [name, now] of containers) {
      const usage = between(before.pods.get(pod)?.get(name), now)
      if (usage) own.set(name, usage)
    }
    if (own.size === containers.size) pods.set(pod, own)
  }
  return { node: between(before.node, after.node), pods }
}

function between(before: Sample | undefined, now: ContainerSample): Usage | undefined {
  // One that has started since, or once more, began at zero.
  const fresh = !before || before.cpuSeconds > now.cpuSeconds
  if (fresh && now.startedMs === undefined) return undefined
  const from = fresh ? { timeMs: now.startedMs as number, cpuSeconds: 0 } : before
  const windowMs = now.timeMs - from.timeMs
  if (windowMs < leastWindowMs) return undefined
  const cpuCores = ((now.cpuSeconds - from.cpuSeconds) * 1000) / windowMs
  return { cpuCores, memoryBytes: now.memoryBytes, timeMs: now.timeMs, windowMs }
}
