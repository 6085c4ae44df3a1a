import type { Pod, ReplicaSetCondition, ReplicaSetStatus } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'
import { isAvailable, isReady } from '../pods/condition.ts'
import type { Replicator } from './kinds.ts'

/**
 * The status that follows from the pods. `failure` is what stood in the way of creating or deleting: it becomes the condition
 * ReplicaFailure, which goes again when all is well.
 */
export function replicaStatus(world: {
  object: Replicator
  active: readonly Live<Pod>[]
  /** How many of its pods are being deleted; undefined for kinds that do not tell. */
  terminating: number | undefined
  failure: unknown
  nowMs: number
}): ReplicaSetStatus {
  const { object, active, terminating, nowMs } = world
  const { spec, status } = object
  const templateLabels = Object.entries(spec?.template?.metadata?.labels ?? {})
  const ready = active.filter(isReady)
  const conditions = replicaFailure(world)
  return {
    replicas: active.length,
    // Zeros are left out, as upstream leaves them: so that what is written compares equal to what any server gives back.
    ...nonZero({
      fullyLabeledReplicas: active.filter(({ metadata }) =>
        templateLabels.every(([key, value]) => metadata.labels?.[key] === value),
      ).length,
      readyReplicas: ready.length,
      availableReplicas: ready.filter((pod) => isAvailable(pod, spec?.minReadySeconds ?? 0, nowMs)).length,
      observedGeneration: object.metadata.generation ?? status?.observedGeneration ?? 0,
    }),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(conditions.length > 0 ? { conditions } : {}),
  }
}

const nonZero = <T extends Record<string, number>>(counts: T): Partial<T> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)) as Partial<T>

/** Whether the object's status says something else. */
export const statusDiffers = ({ status }: Replicator, wanted: ReplicaSetStatus): boolean =>
  !semanticEqual(status, wanted)

function replicaFailure({
  object: { spec, status },
  active,
  failure,
  nowMs,
}: Parameters<typeof replicaStatus>[0]): ReplicaSetCondition[] {
  const conditions = (status?.conditions ?? []) as ReplicaSetCondition[]
  const others = conditions.filter(({ type }) => type !== 'ReplicaFailure')
  if (failure === undefined) return others
  // The first failure stands until it is over: its time tells since when.
  if (others.length < conditions.length) return conditions
  const missing = active.length < (spec?.replicas ?? 1)
  return [
    ...others,
    {
      type: 'ReplicaFailure',
      status: 'True',
      reason: missing ? 'FailedCreate' : 'FailedDelete',
      message: failure instanceof Error ? failure.message : String(failure),
      lastTransitionTime: formatTime(nowMs),
    },
  ]
}
