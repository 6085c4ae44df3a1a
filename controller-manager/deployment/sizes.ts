import type { DeploymentSpec } from '../../api/generated/types.ts'
import { getScaledValue } from '../../api/machinery/int-or-string.ts'

/** A limit or deadline of this many means that there is none. */
export const noLimit = 2 ** 31 - 1

/** How many pods beyond `replicas` a rollout may have. Percentages are rounded up. Nothing but a rolling update may have any. */
export const maxSurge = (spec: DeploymentSpec): number => (isRolling(spec) ? limits(spec).surge : 0)

/** How many of `replicas` may be missing during a rollout. Percentages are rounded down. */
export function maxUnavailable(spec: DeploymentSpec): number {
  const replicas = spec.replicas ?? 1
  if (!isRolling(spec) || replicas === 0) return 0
  return Math.min(limits(spec).unavailable, replicas)
}

export const isRolling = ({ strategy }: DeploymentSpec): boolean => strategy?.type === 'RollingUpdate'

/**
 * How large the new set may become at once: up to the deployment's size, as long as all sets together stay within size and
 * surge. `total` are the replicas of all sets, the new one with its `current` replicas among them.
 */
export function newSetReplicas(spec: DeploymentSpec, total: number, current: number): number {
  const replicas = spec.replicas ?? 1
  if (!isRolling(spec)) return replicas
  const room = replicas + scaled(spec.strategy?.rollingUpdate?.maxSurge, replicas, true) - total
  return room <= 0 ? current : current + Math.min(room, replicas - current)
}

function limits(spec: DeploymentSpec): { surge: number; unavailable: number } {
  const replicas = spec.replicas ?? 1
  const { maxSurge: surgeText, maxUnavailable: unavailableText } = spec.strategy?.rollingUpdate ?? {}
  const surge = scaled(surgeText, replicas, true)
  const unavailable = scaled(unavailableText, replicas, false)
  // Validation forbids two zeros, but rounding can make them; then one pod has to go before another can come.
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

const scaled = (value: number | string | undefined, total: number, roundUp: boolean): number =>
  getScaledValue(value ?? 0, total, roundUp)
