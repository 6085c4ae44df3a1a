import { maxScore } from '../framework/plugin.ts'
import type { ScoringStrategy, ShapePoint } from './args.ts'

/** What it is worth, from 0 to 100, that so much of a resource would be taken of what a node has of it. */
type Worth = (taken: number, allocatable: number) => number

const leastAllocated: Worth = (taken, allocatable) =>
  taken > allocatable ? 0 : Math.trunc(((allocatable - taken) * maxScore) / allocatable)

const mostAllocated: Worth = (taken, allocatable) => Math.trunc((Math.min(taken, allocatable) * maxScore) / allocatable)

/** The points of a shape score from 0 to 10. */
const shapeScale = maxScore / 10

/** Along the line through the points; level before the first and after the last of them. */
function alongShape(shape: readonly ShapePoint[]): Worth {
  const points = shape.map(({ utilization, score }) => ({ utilization, score: score * shapeScale }))
  const valueAt = (utilization: number): number => {
    const i = points.findIndex((point) => utilization <= point.utilization)
    const [before, after] = [points[i - 1], points[i]]
    if (!after) return points.at(-1)?.score ?? 0
    if (!before) return after.score
    const share = (after.score - before.score) * (utilization - before.utilization)
    return before.score + Math.trunc(share / (after.utilization - before.utilization))
  }
  return (taken, allocatable) => valueAt(taken > allocatable ? 100 : Math.trunc((taken * 100) / allocatable))
}

/** One resource with what would be taken of it. */
export interface Taken {
  readonly weight: number
  readonly taken: number
  /** Above 0. */
  readonly allocatable: number
}

/** The weighted mean over resources, by upstream's rule for each strategy. */
export function strategyScore({ type, requestedToCapacityRatio }: ScoringStrategy): (all: readonly Taken[]) => number {
  const mean = (worth: Worth, counts: (score: number) => boolean, round: (score: number) => number) => {
    return (all: readonly Taken[]) => {
      let sum = 0
      let weights = 0
      for (const { weight, taken, allocatable } of all) {
        const score = worth(taken, allocatable)
        if (!counts(score)) continue
        sum += score * weight
        weights += weight
      }
      return weights === 0 ? 0 : round(sum / weights)
    }
  }
  switch (type) {
    case 'LeastAllocated':
      return mean(leastAllocated, () => true, Math.trunc)
    case 'MostAllocated':
      return mean(mostAllocated, () => true, Math.trunc)
    case 'RequestedToCapacityRatio':
      // A resource that scores nothing counts for nothing.
      return mean(alongShape(requestedToCapacityRatio?.shape ?? []), (score) => score > 0, Math.round)
  }
}
