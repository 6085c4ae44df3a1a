import { formatTime } from '../../api/machinery/time.ts'
import type { Condition } from './types.ts'

/** The conditions with this one set; the time of its last change stays while its status does. */
export function withCondition(
  conditions: readonly Condition[],
  type: string,
  status: boolean,
  reason: string,
  message: string,
  nowMs: number,
): Condition[] {
  const standing = conditions.find((condition) => condition.type === type)
  const word = status ? 'True' : 'False'
  const since = standing?.status === word ? standing.lastTransitionTime : undefined
  const next: Condition = { type, status: word, lastTransitionTime: since ?? formatTime(nowMs), reason, message }
  return standing ? conditions.map((condition) => (condition === standing ? next : condition)) : [...conditions, next]
}

export const isTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
