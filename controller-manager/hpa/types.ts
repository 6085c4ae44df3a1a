import type {
  HorizontalPodAutoscalerCondition,
  MetricStatus,
  Pod,
  V2HorizontalPodAutoscaler,
} from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

export type Hpa = Live<V2HorizontalPodAutoscaler>
export type Condition = HorizontalPodAutoscalerCondition

/** What one pod uses, in thousandths of the metric's unit. */
export interface PodSample {
  milli: number
  timestampMs: number
  /** Over how long it was measured, until the timestamp. */
  windowMs: number
}

export type PodSamples = ReadonlyMap<string, PodSample>

/** What was read for one metric of an autoscaler. */
export type Reading =
  | { of: 'pods'; samples: PodSamples }
  /** One number for the whole target, in thousandths. */
  | { of: 'target'; milli: number }
  | { of: 'nothing'; message: string }

/** How far a usage may lie from its target before anything is done, as a part of it. */
export interface Tolerances {
  down: number
  up: number
}

/** The scale subresource of the target. */
export interface TargetScale {
  specReplicas: number
  statusReplicas: number
}

/** When a sample of a pod's CPU may be trusted. */
export interface ReadinessRules {
  cpuInitializationPeriodMs: number
  initialReadinessDelayMs: number
}

export interface HpaOptions extends ReadinessRules {
  syncPeriodMs: number
  tolerance: number
  downscaleStabilizationMs: number
}

/** What a metric asks for. */
export interface Proposal {
  replicas: number
  /** How the metric is named in conditions and events. */
  metric: string
  status: MetricStatus
}

/** An event for the autoscaler. */
export interface Note {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

export type PodView = Live<Pod>
