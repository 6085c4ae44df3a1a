import type { Condition, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/generated/types.ts'
import { getScaledValue } from '../../api/machinery/int-or-string.ts'
import { formatTime, parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'
import { isReady } from '../pods/condition.ts'

/** A pod whose eviction was granted is expected to be on its way out by then. */
const deletionTimeoutMs = 2 * 60_000

export interface Budget {
  status: PodDisruptionBudgetStatus
  /** Pods without a controller, where the number of expected pods depends on controllers. */
  unmanaged: boolean
  requeueAfterMs: number | undefined
}

/**
 * How many of these pods may be evicted now. `scaleOf` tells which controller a pod has and how many pods that wants; undefined
 * for a pod without one. What it throws is the caller's to tell.
 */
export function planBudget(
  budget: Live<PodDisruptionBudget>,
  pods: readonly Live<Pod>[],
  scaleOf: (pod: Live<Pod>) => { uid: string; replicas: number } | undefined,
  nowMs: number,
): Budget {
  const { expected, desired, unmanaged } = expectation(budget, pods, scaleOf)
  const { disruptedPods, requeueAfterMs } = grantedEvictions(budget, pods, nowMs)
  const healthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined && !Object.hasOwn(disruptedPods, pod.metadata.name) && isReady(pod),
  ).length
  const allowed = expected > 0 ? Math.max(0, healthy - desired) : 0
  const generation = budget.metadata.generation ?? 0
  const status: PodDisruptionBudgetStatus = {
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    disruptionsAllowed: allowed,
    ...(Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
    ...(generation > 0 ? { observedGeneration: generation } : {}),
    conditions: withCondition(budget, allowed > 0, allowed > 0 ? 'SufficientPods' : 'InsufficientPods', '', nowMs),
  }
  return { status, unmanaged, requeueAfterMs }
}

/** The status when nothing is known: nobody may be evicted. */
export const failedStatus = (
  budget: Live<PodDisruptionBudget>,
  message: string,
  nowMs: number,
): PodDisruptionBudgetStatus => ({
  ...budget.status,
  disruptionsAllowed: 0,
  conditions: withCondition(budget, false, 'SyncFailed', message, nowMs),
})

function expectation(
  { spec = {} }: Live<PodDisruptionBudget>,
  pods: readonly Live<Pod>[],
  scaleOf: (pod: Live<Pod>) => { uid: string; replicas: number } | undefined,
): { expected: number; desired: number; unmanaged: boolean } {
  const { maxUnavailable, minAvailable } = spec
  if (maxUnavailable === undefined && typeof minAvailable === 'number') {
    return { expected: pods.length, desired: minAvailable, unmanaged: false }
  }
  if (maxUnavailable === undefined && minAvailable === undefined) return { expected: 0, desired: 0, unmanaged: false }
  const scales = new Map<string, number>()
  let unmanaged = false
  for (const pod of pods) {
    const scale = scaleOf(pod)
    if (scale) scales.set(scale.uid, scale.replicas)
    else unmanaged = true
  }
  const expected = [...scales.values()].reduce((total, replicas) => total + replicas, 0)
  const desired =
    maxUnavailable === undefined
      ? getScaledValue(minAvailable ?? 0, expected, true)
      : Math.max(0, expected - getScaledValue(maxUnavailable, expected, true))
  return { expected, desired, unmanaged }
}

/** Evictions that were granted, and whose pods do not leave yet: they count as gone, for a while. */
function grantedEvictions({ status }: Live<PodDisruptionBudget>, pods: readonly Live<Pod>[], nowMs: number) {
  const disruptedPods: Record<string, string> = {}
  let requeueAfterMs: number | undefined
  for (const { metadata } of pods) {
    const since = status?.disruptedPods?.[metadata.name]
    if (since === undefined || metadata.deletionTimestamp !== undefined) continue
    const left = (parseTime(since) ?? 0) + deletionTimeoutMs - nowMs
    if (left < 0) continue
    disruptedPods[metadata.name] = since
    requeueAfterMs = Math.min(left + 1, requeueAfterMs ?? left + 1)
  }
  return { disruptedPods, requeueAfterMs }
}

function withCondition(
  { metadata, status }: Live<PodDisruptionBudget>,
  allowed: boolean,
  reason: string,
  message: string,
  nowMs: number,
): Condition[] {
  const type = 'DisruptionAllowed'
  const conditions = status?.conditions ?? []
  const standing = conditions.find((condition) => condition.type === type)
  const is = allowed ? 'True' : 'False'
  const condition: Condition = {
    type,
    status: is,
    reason,
    message,
    observedGeneration: metadata.generation ?? 0,
    lastTransitionTime: standing?.status === is ? standing.lastTransitionTime : formatTime(nowMs),
  }
  return standing ? conditions.map((one) => (one === standing ? condition : one)) : [...conditions, condition]
}
