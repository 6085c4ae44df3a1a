import type { DaemonSet } from '../../api/generated/types.ts'
import { getScaledValue } from '../../api/machinery/int-or-string.ts'
import type { Live } from '../../client/types.ts'

/** How many of `nodes` may have two pods for a while during an update. Percentages are rounded up. */
export const surgeOf = (set: Live<DaemonSet>, nodes: number): number =>
  getScaledValue(rollingOf(set)?.maxSurge ?? 0, nodes, true)

/** How many of `nodes` may be without a pod that is available. Percentages are rounded up here, too. */
export const unavailableOf = (set: Live<DaemonSet>, nodes: number): number =>
  getScaledValue(rollingOf(set)?.maxUnavailable ?? 0, nodes, true)

export const allowsSurge = (set: Live<DaemonSet>): boolean => surgeOf(set, 1) > 0

function rollingOf({ spec }: Live<DaemonSet>) {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {}
  return type === 'RollingUpdate' ? rollingUpdate : undefined
}
