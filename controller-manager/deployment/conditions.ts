import type { DeploymentCondition } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'

type Type = 'Available' | 'Progressing' | 'ReplicaFailure'
export type Conditions = readonly DeploymentCondition[]

export const findCondition = (conditions: Conditions, type: Type): DeploymentCondition | undefined =>
  conditions.find((condition) => condition.type === type)

export const withoutCondition = (conditions: Conditions, type: Type): Conditions =>
  conditions.filter((condition) => condition.type !== type)

/** Sets a condition, unless it stands there with that status and reason. Its transition time changes with its status only. */
export function withCondition(conditions: Conditions, condition: DeploymentCondition): Conditions {
  const type = condition.type as Type
  const current = findCondition(conditions, type)
  if (current && current.status === condition.status && current.reason === condition.reason) return conditions
  const { lastTransitionTime } = current?.status === condition.status ? current : condition
  return [
    ...withoutCondition(conditions, type),
    { ...condition, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) },
  ]
}

export const newCondition = (
  type: Type,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  nowMs: number,
): DeploymentCondition => {
  const time = formatTime(nowMs)
  return { type, status, reason, message, lastUpdateTime: time, lastTransitionTime: time }
}
