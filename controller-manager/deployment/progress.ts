import { rolloutStepsAnnotation } from '../../api/gantry/rollout-steps.ts'
import type { Deployment, DeploymentStatus } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'
import { type Conditions, findCondition, newCondition, withCondition, withoutCondition } from './conditions.ts'
import { availableOf, type Draft } from './draft.ts'
import { heldAt } from './hold.ts'
import { noLimit } from './sizes.ts'

const heldReason = 'RolloutHeld'

/** Whether anyone wants to know when a rollout takes too long. */
export const hasDeadline = ({ spec }: Live<Deployment>): boolean =>
  spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== noLimit

/** All replicas are of the new template and available, and no others are left. */
export function isComplete({ spec, metadata }: Live<Deployment>, status: DeploymentStatus): boolean {
  const desired = spec?.replicas ?? 1
  return (
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  )
}

/** While a deployment is paused its deadline stands still; from resuming on it counts anew. */
export function pauseCondition(deployment: Live<Deployment>, nowMs: number): Conditions {
  const conditions = deployment.status?.conditions ?? []
  if (!hasDeadline(deployment)) return conditions
  const reason = findCondition(conditions, 'Progressing')?.reason
  // That it failed is worth more than that it is paused.
  if (reason === 'ProgressDeadlineExceeded') return conditions
  const paused = deployment.spec?.paused === true
  if (paused === (reason === 'DeploymentPaused')) return conditions
  const condition = paused
    ? newCondition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', nowMs)
    : newCondition('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', nowMs)
  return withCondition(conditions, condition)
}

/**
 * The conditions of a rollout: how far it is (Progressing), and what keeps its sets from having their pods (ReplicaFailure).
 * `status` is the new status; its conditions are those to start from. `before` is the deployment as it was.
 */
export function rolloutConditions(
  before: Live<Deployment>,
  status: DeploymentStatus,
  fresh: Draft | undefined,
  old: readonly Draft[],
  nowMs: number,
): Conditions {
  const conditions = hasDeadline(before)
    ? progressing(before, status, fresh, old, nowMs)
    : withoutCondition(status.conditions ?? [], 'Progressing')
  return replicaFailure(conditions, fresh, old)
}

function progressing(
  before: Live<Deployment>,
  status: DeploymentStatus,
  fresh: Draft | undefined,
  old: readonly Draft[],
  nowMs: number,
): Conditions {
  const conditions = status.conditions ?? []
  const current = findCondition(conditions, 'Progressing')
  if (status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable') return conditions
  const what = fresh ? `ReplicaSet "${fresh.set.metadata.name}"` : `Deployment "${before.metadata.name}"`
  if (isComplete(before, status)) {
    const message = `${what} has successfully progressed.`
    return withCondition(conditions, newCondition('Progressing', 'True', 'NewReplicaSetAvailable', message, nowMs))
  }
  const hold = fresh && heldAt(before, fresh, old)
  if (fresh && hold !== undefined && availableOf(fresh) >= hold) {
    const message = `${what} is held at ${hold} pods by ${rolloutStepsAnnotation}.`
    return withCondition(conditions, newCondition('Progressing', 'True', heldReason, message, nowMs))
  }
  // The deadline stands still in a hold, and counts anew from its end.
  if (progressed(before.status ?? {}, status) || current?.reason === heldReason) {
    const condition = newCondition('Progressing', 'True', 'ReplicaSetUpdated', `${what} is progressing.`, nowMs)
    // Every progress moves the deadline, so the update time changes though status and reason do not.
    if (current?.status === 'True' && current.lastTransitionTime !== undefined) {
      condition.lastTransitionTime = current.lastTransitionTime
    }
    return [...withoutCondition(conditions, 'Progressing'), condition]
  }
  if (timedOut(before, current, nowMs)) {
    const message = `${what} has timed out progressing.`
    return withCondition(conditions, newCondition('Progressing', 'False', 'ProgressDeadlineExceeded', message, nowMs))
  }
  return conditions
}

/** More pods of the new template, fewer of others, more ready or more available than before. */
function progressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const count = (
    status: DeploymentStatus,
    field: 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas',
  ) => status[field] ?? 0
  const outdated = (status: DeploymentStatus) => count(status, 'replicas') - count(status, 'updatedReplicas')
  return (
    outdated(after) < outdated(before) ||
    (['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const).some(
      (field) => count(after, field) > count(before, field),
    )
  )
}

function timedOut(before: Live<Deployment>, current: ReturnType<typeof findCondition>, nowMs: number): boolean {
  // After a finished rollout the time tells of that one. The next starts with a condition of its own.
  if (!current || current.reason === 'NewReplicaSetAvailable') return false
  return current.reason === 'ProgressDeadlineExceeded' || deadlineMs(before, current) < nowMs
}

const deadlineMs = ({ spec }: Live<Deployment>, { lastUpdateTime }: { lastUpdateTime?: string }): number =>
  (parseTime(lastUpdateTime ?? '') ?? 0) + (spec?.progressDeadlineSeconds ?? 0) * 1000

/** Milliseconds until it is worth looking whether a rollout has timed out; undefined if it cannot. */
export function untilDeadlineMs(
  deployment: Live<Deployment>,
  status: DeploymentStatus,
  nowMs: number,
): number | undefined {
  const current = findCondition(status.conditions ?? [], 'Progressing')
  if (!hasDeadline(deployment) || !current) return undefined
  if (isComplete(deployment, status) || ['ProgressDeadlineExceeded', heldReason].includes(current.reason ?? '')) {
    return undefined
  }
  // Times are in whole seconds: a second more, and it has surely passed.
  return Math.max(0, deadlineMs(deployment, current) - nowMs) + 1000
}

function replicaFailure(conditions: Conditions, fresh: Draft | undefined, old: readonly Draft[]): Conditions {
  for (const { set } of fresh ? [fresh, ...old] : old) {
    const failure = set.status?.conditions?.find(({ type }) => type === 'ReplicaFailure')
    if (!failure) continue
    const { lastTransitionTime } = failure
    return withCondition(conditions, {
      ...failure,
      ...(lastTransitionTime === undefined ? {} : { lastUpdateTime: lastTransitionTime }),
    })
  }
  return withoutCondition(conditions, 'ReplicaFailure')
}
