import { ownConditions } from './conditions.ts'
import { type BoundPod, isTerminalPhase } from './types.ts'

/** Everything about the object that this agent does not write itself. */
export function essence({ metadata, status }: BoundPod): string {
  const { generation, labels, annotations, deletionTimestamp, deletionGracePeriodSeconds, finalizers } = metadata
  const others = (status?.conditions ?? []).filter(({ type }) => !ownConditions.has(type))
  return JSON.stringify([
    generation,
    labels,
    annotations,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    finalizers,
    others,
    isTerminalPhase(status?.phase),
  ])
}

/** Whether files in the pod's volumes show something else now. */
export const shownByDownwardApi = (before: BoundPod, after: BoundPod): boolean =>
  JSON.stringify([before.metadata.labels, before.metadata.annotations]) !==
  JSON.stringify([after.metadata.labels, after.metadata.annotations])
