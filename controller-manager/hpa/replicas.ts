import { isReady } from '../pods/condition.ts'
import { groupPods, requestsOf } from './pod-groups.ts'
import type { PodSample, PodSamples, PodView, ReadinessRules, TargetScale, Tolerances } from './types.ts'

/** What all calculations over pods need to know. */
export interface PodFacts {
  pods: readonly PodView[]
  samples: PodSamples
  rules: ReadinessRules
  tolerances: Tolerances
  currentReplicas: number
  nowMs: number
}

export interface ReplicaCount {
  replicas: number
  /** Of each pod on average, or of the target as a whole, in thousandths. */
  usageMilli: number
}

const maxInt32 = 2 ** 31 - 1

/** Whether a usage is so near to its target that it is left alone. */
export const isWithin = ({ down, up }: Tolerances, ratio: number): boolean => 1 - down <= ratio && ratio <= 1 + up

/** How many replicas bring the pods to this part of what they request. Throws an Error where that cannot be told. */
export function replicasForUtilization(
  facts: PodFacts,
  resource: string,
  container: string | undefined,
  targetPercent: number,
): ReplicaCount & { utilizationPercent: number } {
  const groups = groupsOf(facts, resource)
  const requests = requestsOf(facts.pods, resource, container)
  const first = utilization(groups.samples, requests, targetPercent)
  const replicas = settle(facts, groups, first.ratio, {
    // On the way down, who does not tell counts as using all of its request.
    missingOnTheWayDown: (pod) => Math.trunc(((requests.get(pod) ?? 0) * Math.max(100, targetPercent)) / 100),
    ratioOf: (samples) => utilization(samples, requests, targetPercent).ratio,
  })
  return { replicas, usageMilli: first.averageMilli, utilizationPercent: first.percent }
}

/** How many replicas bring the pods to this usage on average. `resource` is undefined for a metric that is none. */
export function replicasForUsage(facts: PodFacts, resource: string | undefined, targetMilli: number): ReplicaCount {
  const groups = groupsOf(facts, resource)
  const first = average(groups.samples, targetMilli)
  const replicas = settle(facts, groups, first.ratio, {
    // On the way down, who does not tell counts as using just what is aimed at.
    missingOnTheWayDown: () => targetMilli,
    ratioOf: (samples) => average(samples, targetMilli).ratio,
  })
  return { replicas, usageMilli: first.averageMilli }
}

/** How many replicas bring a number for the whole target to what is aimed at. */
export function replicasForValue(
  usageMilli: number,
  targetMilli: number,
  currentReplicas: number,
  pods: readonly PodView[],
  tolerances: Tolerances,
): ReplicaCount {
  const ratio = usageMilli / targetMilli
  // Nothing runs that could be measured against: the number itself says how much is wanted.
  if (currentReplicas === 0) return { replicas: atMost(Math.ceil(ratio)), usageMilli }
  if (isWithin(tolerances, ratio)) return { replicas: currentReplicas, usageMilli }
  requirePods(pods, 'unable to calculate ready pods: ')
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isReady(pod)).length
  return { replicas: atMost(Math.ceil(ratio * ready)), usageMilli }
}

/** How many replicas share a number for the whole target so that each has its part. */
export function replicasForShare(
  usageMilli: number,
  targetMilli: number,
  { statusReplicas }: TargetScale,
  tolerances: Tolerances,
): ReplicaCount {
  const near = isWithin(tolerances, usageMilli / (targetMilli * statusReplicas))
  const replicas = near ? statusReplicas : atMost(Math.ceil(usageMilli / targetMilli))
  // With no replicas there is nobody to have a share.
  return { replicas, usageMilli: statusReplicas === 0 ? usageMilli : Math.ceil(usageMilli / statusReplicas) }
}

interface Groups {
  /** Of the pods whose samples count. */
  samples: Map<string, PodSample>
  readyCount: number
  unready: ReadonlySet<string>
  missing: ReadonlySet<string>
}

function groupsOf({ pods, samples, rules, nowMs }: PodFacts, resource: string | undefined): Groups {
  requirePods(pods, '')
  const { readyCount, unready, missing, ignored } = groupPods(pods, samples, resource, rules, nowMs)
  const counted = new Map([...samples].filter(([pod]) => !ignored.has(pod) && !unready.has(pod)))
  if (counted.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)')
  return { samples: counted, readyCount, unready, missing }
}

function requirePods(pods: readonly PodView[], before: string): void {
  if (pods.length === 0) throw new Error(`${before}no pods returned by selector while calculating replica count`)
}

interface Guesses {
  missingOnTheWayDown: (pod: string) => number
  ratioOf: (samples: ReadonlyMap<string, PodSample>) => number
}

/**
 * The replicas that a ratio of usage to target asks for. Pods that do not tell are taken for what argues against the
 * change, and if then nothing, or the opposite, would be done, it is left as it is.
 */
function settle(
  { tolerances, currentReplicas }: PodFacts,
  { samples, readyCount, unready, missing }: Groups,
  ratio: number,
  { missingOnTheWayDown, ratioOf }: Guesses,
): number {
  const upWithUnready = unready.size > 0 && ratio > 1
  if (!upWithUnready && missing.size === 0) {
    return isWithin(tolerances, ratio) ? currentReplicas : Math.ceil(ratio * readyCount)
  }
  const guessed = new Map(samples)
  const guess = (pod: string, milli: number) => guessed.set(pod, { milli, timestampMs: 0, windowMs: 0 })
  if (ratio < 1) for (const pod of missing) guess(pod, missingOnTheWayDown(pod))
  if (ratio > 1) for (const pod of missing) guess(pod, 0)
  if (upWithUnready) for (const pod of unready) guess(pod, 0)
  const second = ratioOf(guessed)
  const turned = (ratio < 1 && second > 1) || (ratio > 1 && second < 1)
  if (isWithin(tolerances, second) || turned) return currentReplicas
  const replicas = Math.ceil(second * guessed.size)
  const wrongWay = (second < 1 && replicas > currentReplicas) || (second > 1 && replicas < currentReplicas)
  return wrongWay ? currentReplicas : replicas
}

function utilization(
  samples: ReadonlyMap<string, PodSample>,
  requests: ReadonlyMap<string, number>,
  targetPercent: number,
): { ratio: number; percent: number; averageMilli: number } {
  let used = 0
  let requested = 0
  let count = 0
  for (const [pod, { milli }] of samples) {
    const request = requests.get(pod)
    // The sample of a pod that is gone meanwhile.
    if (request === undefined) continue
    used += milli
    requested += request
    count++
  }
  if (requested === 0) throw new Error('no metrics returned matched known pods')
  // Whole percents, exactly: bytes in thousandths times a hundred are more than a number holds.
  const percent = Number((BigInt(Math.round(used)) * 100n) / BigInt(Math.round(requested)))
  return { ratio: percent / targetPercent, percent, averageMilli: Math.trunc(used / count) }
}

function average(
  samples: ReadonlyMap<string, PodSample>,
  targetMilli: number,
): { ratio: number; averageMilli: number } {
  let used = 0
  for (const { milli } of samples.values()) used += milli
  const averageMilli = Math.trunc(used / samples.size)
  return { ratio: averageMilli / targetMilli, averageMilli }
}

const atMost = (replicas: number): number => Math.min(replicas, maxInt32)
