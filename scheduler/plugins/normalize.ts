import { maxScore } from '../framework/plugin.ts'

/** Brings scores to between 0 and the highest by the largest of them, in place; reversed, the largest is the worst. */
export function normalizeByLargest(scores: Float64Array, { reverse = false } = {}): void {
  let largest = 0
  for (const score of scores) largest = Math.max(largest, score)
  for (let i = 0; i < scores.length; i++) {
    const score = largest === 0 ? 0 : Math.trunc((maxScore * (scores[i] as number)) / largest)
    scores[i] = reverse ? maxScore - score : score
  }
}
