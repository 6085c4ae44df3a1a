import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '../../api/generated/types.ts'
import { changedWithin, type Memory } from './memory.ts'

/** What a count is confined by. */
export interface Bounds {
  currentReplicas: number
  minReplicas: number
  maxReplicas: number
}

/** What became of a count, and why. */
export interface Confined {
  replicas: number
  reason: string
  message: string
}

const readyForNewScale = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
const stabilizedDown = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
}
const stabilizedUp = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
}
const withinRange = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' }
const tooFast = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
}
const tooFastDown = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
}
const tooMany = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
}
const tooFew = { reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' }

/** Without a behavior: the highest recommendation of the window. */
export function stabilize(memory: Memory, wanted: number, windowMs: number, nowMs: number): Confined {
  const recent = memory.recommendations.filter(({ atMs }) => atMs >= nowMs - windowMs)
  const replicas = Math.max(wanted, ...recent.map((recommendation) => recommendation.replicas))
  return { replicas, ...(replicas === wanted ? readyForNewScale : stabilizedDown) }
}

/** Without a behavior: at most double at once, or to four. */
export function limit({ currentReplicas, minReplicas, maxReplicas }: Bounds, wanted: number): Confined {
  if (wanted < minReplicas) return { replicas: minReplicas, ...tooFew }
  const fastest = Math.max(2 * currentReplicas, 4)
  const highest = Math.min(maxReplicas, fastest)
  if (wanted > highest) return { replicas: highest, ...(maxReplicas > fastest ? tooFast : tooMany) }
  return { replicas: wanted, ...withinRange }
}

/** With a behavior: no lower than all of one window recommend, no higher than all of the other. */
export function stabilizeByBehavior(
  memory: Memory,
  { scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior,
  { currentReplicas }: Bounds,
  wanted: number,
  defaultDownWindowMs: number,
  nowMs: number,
): Confined {
  const upMs = (scaleUp?.stabilizationWindowSeconds ?? 0) * 1000
  const downSeconds = scaleDown?.stabilizationWindowSeconds
  const downMs = downSeconds === undefined ? defaultDownWindowMs : downSeconds * 1000
  let lowest = wanted
  let highest = wanted
  for (const { replicas, atMs } of memory.recommendations) {
    if (atMs > nowMs - upMs) lowest = Math.min(replicas, lowest)
    if (atMs > nowMs - downMs) highest = Math.max(replicas, highest)
  }
  const replicas = Math.min(Math.max(currentReplicas, lowest), highest)
  if (replicas === wanted) return { replicas, ...readyForNewScale }
  return { replicas, ...(wanted >= currentReplicas ? stabilizedUp : stabilizedDown) }
}

/** With a behavior: no faster than its policies allow. */
export function limitByBehavior(
  memory: Memory,
  { scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior,
  { currentReplicas, minReplicas, maxReplicas }: Bounds,
  wanted: number,
  nowMs: number,
): Confined {
  if (wanted > currentReplicas) {
    const fastest = Math.max(currentReplicas, highestAllowed(memory, scaleUp, currentReplicas, nowMs))
    const highest = Math.min(maxReplicas, fastest)
    if (wanted > highest) return { replicas: highest, ...(maxReplicas > fastest ? tooFast : tooMany) }
  } else if (wanted < currentReplicas) {
    const fastest = Math.min(currentReplicas, lowestAllowed(memory, scaleDown, currentReplicas, nowMs))
    const lowest = Math.max(minReplicas, fastest)
    if (wanted < lowest) return { replicas: lowest, ...(minReplicas < fastest ? tooFastDown : tooFew) }
  }
  return { replicas: wanted, ...withinRange }
}

function highestAllowed(memory: Memory, rules: HPAScalingRules | undefined, current: number, nowMs: number): number {
  if (rules?.selectPolicy === 'Disabled') return current
  const allowed = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const before = sizeBefore(memory, current, periodSeconds, nowMs)
    // Rounded up: a small target could never grow by a part of itself otherwise.
    return type === 'Percent' ? Math.ceil(before * (1 + value / 100)) : before + value
  })
  return rules?.selectPolicy === 'Min' ? Math.min(...allowed) : Math.max(...allowed)
}

function lowestAllowed(memory: Memory, rules: HPAScalingRules | undefined, current: number, nowMs: number): number {
  if (rules?.selectPolicy === 'Disabled') return current
  const allowed = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const before = sizeBefore(memory, current, periodSeconds, nowMs)
    return type === 'Percent' ? Math.trunc(before * (1 - value / 100)) : before - value
  })
  // Min is the smallest change, which leaves most.
  return rules?.selectPolicy === 'Min' ? Math.max(...allowed) : Math.min(...allowed)
}

/** How many replicas there were at the beginning of a policy's period. */
const sizeBefore = ({ ups, downs }: Memory, current: number, seconds: number, nowMs: number): number =>
  current - changedWithin(ups, seconds, nowMs) + changedWithin(downs, seconds, nowMs)
