import type { MetricStatus } from '../../api/generated/types.ts'
import { quantityToNumber } from '../../api/machinery/quantity.ts'
import { isTrue, withCondition } from './conditions.ts'
import { type Bounds, limit, limitByBehavior, stabilize, stabilizeByBehavior } from './limits.ts'
import { type Memory, recommended } from './memory.ts'
import { proposeFor, type TargetFacts } from './proposals.ts'
import type { Condition, Hpa, HpaOptions, Note, PodView, Proposal, Reading, TargetScale, Tolerances } from './types.ts'

/** What is to be done first, from the size alone. */
export type FirstStep =
  /** Somebody has set the target to zero, which turns its autoscaler off. */
  | { do: 'nothing' }
  /** The size is out of bounds, whatever the metrics say. */
  | { do: 'resize'; replicas: number; reason: string }
  | { do: 'measure' }

/** Decides whether the metrics have to be asked at all. */
export function firstStep(hpa: Hpa, currentReplicas: number): FirstStep {
  const { minReplicas, maxReplicas } = boundsOf(hpa, currentReplicas)
  if (currentReplicas === 0) {
    // What the autoscaler has put to sleep it may wake up again.
    const asleep = isTrue(hpa.status?.conditions, 'ScaledToZero')
    return asleep && (minReplicas !== 0 || canSleep(hpa)) ? { do: 'measure' } : { do: 'nothing' }
  }
  if (currentReplicas > maxReplicas) {
    return { do: 'resize', replicas: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas' }
  }
  if (currentReplicas < minReplicas) return { do: 'resize', replicas: minReplicas, reason: belowMinimum }
  return { do: 'measure' }
}

const belowMinimum = 'Current number of replicas below Spec.MinReplicas'

/** Something must tell when to wake up: what runs in pods cannot while there are none. */
export const canSleep = ({ spec }: Hpa): boolean =>
  spec.metrics?.some(({ type }) => type === 'Object' || type === 'External') ?? false

export interface SizeFacts {
  hpa: Hpa
  scale: TargetScale
  pods: readonly PodView[]
  /** One for each metric of the spec. */
  readings: readonly Reading[]
  memory: Memory
  conditions: readonly Condition[]
  options: HpaOptions
  nowMs: number
}

/** What the metrics come to. */
export interface Sizing {
  /** Undefined: too little is known to change anything. */
  replicas: number | undefined
  /** Why that size, for the event. */
  reason: string
  conditions: Condition[]
  metrics: MetricStatus[]
  notes: Note[]
  memory: Memory
  /** What each metric of the spec asks for; undefined: it does not tell. */
  asked: (number | undefined)[]
  /** What could not be read. */
  error: string | undefined
}

/** Decides on the size: the largest that a metric asks for, within the bounds and no faster than allowed. */
export function planSize(facts: SizeFacts): Sizing {
  const { hpa, scale, memory, nowMs } = facts
  const asked = askAll(facts)
  const { metrics, notes, replicas: each, error } = asked
  const [first] = asked.failures
  const { best } = asked
  const shrinking = (best?.replicas ?? 0) < scale.specReplicas
  if (first && (!best || shrinking)) {
    // A metric that does not tell might have wanted more.
    const conditions = withCondition(
      facts.conditions,
      'ScalingActive',
      false,
      first.reason,
      `the HPA was unable to compute the replica count: ${first.message}`,
      nowMs,
    )
    return { replicas: undefined, reason: '', conditions, metrics, notes, memory, asked: each, error }
  }
  const { replicas: wanted = 0, metric = '' } = best ?? {}
  const active = withCondition(
    facts.conditions,
    'ScalingActive',
    true,
    'ValidMetricFound',
    `the HPA was able to successfully calculate a replica count from ${metric}`,
    nowMs,
  )
  const confined = confine(facts, wanted, active)
  const current = scale.specReplicas
  let { replicas } = confined
  let reason = wanted > current ? `${metric} above target` : wanted < current ? 'All metrics below target' : ''
  const { minReplicas } = boundsOf(hpa, current)
  if (current === 0 && minReplicas > replicas) {
    // Asleep, and meanwhile somebody has forbidden that.
    replicas = minReplicas
    reason ||= belowMinimum
  }
  const { conditions } = confined
  return { replicas, reason, conditions, metrics, notes, memory: confined.memory, asked: each, error }
}

/** Asks each metric for its size. */
function askAll({ hpa, scale, pods, readings, options, nowMs }: SizeFacts) {
  const facts: TargetFacts = {
    namespace: hpa.metadata.namespace ?? '',
    scale,
    pods,
    rules: options,
    tolerances: tolerancesOf(hpa, options.tolerance),
    nowMs,
  }
  const specs = hpa.spec.metrics ?? []
  const answers = specs.map((spec, i) =>
    proposeFor(spec, readings[i] ?? { of: 'nothing', message: 'it was not read' }, facts),
  )
  const failures = answers.flatMap((answer) => ('failure' in answer ? answer.failure : []))
  let best: Proposal | undefined
  for (const answer of answers) {
    if (!('proposal' in answer)) continue
    if (!best || best.replicas === 0 || answer.proposal.replicas > best.replicas) best = answer.proposal
  }
  const [first] = failures
  return {
    best,
    failures,
    replicas: answers.map((answer) => ('proposal' in answer ? answer.proposal.replicas : undefined)),
    // One for each of the spec, also where nothing is known.
    metrics: answers.map((answer): MetricStatus => ('proposal' in answer ? answer.proposal.status : { type: '' })),
    notes: failures.map(({ reason, message }): Note => ({ type: 'Warning', reason, message })),
    error: first
      ? `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: ${first.error}`
      : undefined,
  }
}

function confine(
  { hpa, scale, memory, options, nowMs }: SizeFacts,
  wanted: number,
  conditions: readonly Condition[],
): { replicas: number; conditions: Condition[]; memory: Memory } {
  const { behavior } = hpa.spec
  const { downscaleStabilizationMs } = options
  const bounds = boundsOf(hpa, scale.specReplicas)
  const steady = behavior
    ? stabilizeByBehavior(memory, behavior, bounds, wanted, downscaleStabilizationMs, nowMs)
    : stabilize(memory, wanted, downscaleStabilizationMs, nowMs)
  const limited = behavior
    ? limitByBehavior(memory, behavior, bounds, steady.replicas, nowMs)
    : limit(bounds, steady.replicas)
  const able = withCondition(conditions, 'AbleToScale', true, steady.reason, steady.message, nowMs)
  const isLimited = limited.replicas !== steady.replicas
  return {
    replicas: limited.replicas,
    conditions: withCondition(able, 'ScalingLimited', isLimited, limited.reason, limited.message, nowMs),
    memory: recommended(memory, wanted, nowMs, downscaleStabilizationMs),
  }
}

function boundsOf({ spec }: Hpa, currentReplicas: number): Bounds {
  return { currentReplicas, minReplicas: spec.minReplicas ?? 1, maxReplicas: spec.maxReplicas }
}

function tolerancesOf({ spec }: Hpa, usual: number): Tolerances {
  const { scaleDown, scaleUp } = spec.behavior ?? {}
  const of = (tolerance: string | number | undefined) => (tolerance === undefined ? usual : quantityToNumber(tolerance))
  return { down: of(scaleDown?.tolerance), up: of(scaleUp?.tolerance) }
}
