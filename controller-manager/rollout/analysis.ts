import type { RolloutStep } from '../../api/gantry/rollout-steps.ts'
import type { Answer } from './ask.ts'

/** How the analysis of one step has gone so far. */
export interface Course {
  startedMs: number
  /** Since when every answer was yes. */
  yesSinceMs: number | undefined
}

export type Verdict =
  | { is: 'passed' }
  | { is: 'failed' }
  /** To be asked again. */
  | { is: 'open'; course: Course; nextMs: number }

const pollMs = 5000
const shortestPollMs = 500

/** What one more answer makes of a step that must get its yes within `withinMs`. */
export function judge(step: RolloutStep, course: Course, answer: Answer, withinMs: number, nowMs: number): Verdict {
  const yesSinceMs = answer.yes ? (course.yesSinceMs ?? nowMs) : undefined
  if (yesSinceMs !== undefined && nowMs - yesSinceMs >= step.forMs) return { is: 'passed' }
  const leftMs = course.startedMs + withinMs - nowMs
  // A yes that began in time may last its time.
  if (leftMs <= 0 && yesSinceMs === undefined) return { is: 'failed' }
  const untilMs = yesSinceMs === undefined ? leftMs : yesSinceMs + step.forMs - nowMs
  return {
    is: 'open',
    course: { ...course, yesSinceMs },
    nextMs: Math.max(shortestPollMs, Math.min(pollMs, untilMs)),
  }
}
