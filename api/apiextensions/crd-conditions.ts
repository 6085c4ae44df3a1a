import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'
import { formatTime } from '../machinery/time.ts'

type Conditions = readonly CustomResourceDefinitionCondition[]

/** The conditions with one of them as it is to be; the time is that of the last change of its status. */
export function withCondition(
  conditions: Conditions | undefined,
  condition: Omit<CustomResourceDefinitionCondition, 'lastTransitionTime'>,
  nowMs: number,
): CustomResourceDefinitionCondition[] {
  const standing = conditions?.find(({ type }) => type === condition.type)
  const sinceThen = standing?.status === condition.status ? standing.lastTransitionTime : undefined
  const next = { ...condition, lastTransitionTime: sinceThen ?? formatTime(nowMs) }
  return standing
    ? (conditions ?? []).map((each) => (each.type === condition.type ? next : each))
    : [...(conditions ?? []), next]
}

/** A condition of a definition is true. */
export const isConditionTrue = ({ status }: Stored<CustomResourceDefinition>, type: string): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
