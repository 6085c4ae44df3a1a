import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '../../api/generated/types.ts'

interface Recommendation {
  replicas: number
  atMs: number
}

interface ScaleEvent {
  /** By how many replicas; never negative. */
  change: number
  atMs: number
}

/** What is remembered of an autoscaler: what its metrics asked for, and what was done, for as long as a window may look back. */
export interface Memory {
  recommendations: readonly Recommendation[]
  ups: readonly ScaleEvent[]
  downs: readonly ScaleEvent[]
}

/** The memory of an autoscaler seen for the first time: its target had some reason for its size. */
export const firstMemory = (replicas: number, nowMs: number): Memory => ({
  recommendations: [{ replicas, atMs: nowMs }],
  ups: [],
  downs: [],
})

/** Upstream's longest windows; validation allows no longer ones. */
const longestWindowMs = 3600_000

/** With what the metrics ask for now. */
export const recommended = (memory: Memory, replicas: number, nowMs: number, stabilizationMs: number): Memory => ({
  ...memory,
  recommendations: [
    ...memory.recommendations.filter(({ atMs }) => atMs >= nowMs - Math.max(longestWindowMs, stabilizationMs)),
    { replicas, atMs: nowMs },
  ],
})

/** With what was done. Without a behavior nobody looks back at it. */
export function scaled(
  memory: Memory,
  from: number,
  to: number,
  behavior: HorizontalPodAutoscalerBehavior | undefined,
  nowMs: number,
): Memory {
  if (!behavior) return memory
  const kept = (events: readonly ScaleEvent[], rules: HPAScalingRules | undefined) => {
    const longestMs = Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds * 1000))
    return events.filter(({ atMs }) => atMs >= nowMs - longestMs)
  }
  return to > from
    ? { ...memory, ups: [...kept(memory.ups, behavior.scaleUp), { change: to - from, atMs: nowMs }] }
    : { ...memory, downs: [...kept(memory.downs, behavior.scaleDown), { change: from - to, atMs: nowMs }] }
}

/** By how many replicas it was changed in the last so many seconds. */
export const changedWithin = (events: readonly ScaleEvent[], seconds: number, nowMs: number): number =>
  events.reduce((total, { change, atMs }) => (atMs > nowMs - seconds * 1000 ? total + change : total), 0)
