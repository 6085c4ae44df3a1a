import type {
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
  ObjectMeta,
  V1HorizontalPodAutoscaler,
  V1HorizontalPodAutoscalerSpec,
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerSpec,
} from '../generated/types.ts'
import type { AnyObject, Stored } from '../machinery/object.ts'
import { compact, list, optionalInteger, optionalQuantity, record, required, text } from './annotation-reader.ts'
import { metricFromV1, metricStatusFromV1, metricStatusToV1, metricToV1 } from './metrics-v1.ts'

/** autoscaling/v1 knows one metric, CPU; everything else of v2 travels in these annotations. */
const metricsKey = 'autoscaling.alpha.kubernetes.io/metrics'
const currentMetricsKey = 'autoscaling.alpha.kubernetes.io/current-metrics'
const conditionsKey = 'autoscaling.alpha.kubernetes.io/conditions'
const behaviorKey = 'autoscaling.alpha.kubernetes.io/behavior'
const roundTripKeys = [
  metricsKey,
  currentMetricsKey,
  conditionsKey,
  behaviorKey,
  'autoscaling.alpha.kubernetes.io/scale-down-tolerance',
  'autoscaling.alpha.kubernetes.io/scale-up-tolerance',
]

type Hpa = Stored<V2HorizontalPodAutoscaler>
type HpaV1 = Stored<V1HorizontalPodAutoscaler>

/** Removes from an object of v2 what only v1 needs. */
export function dropRoundTripAnnotations(metadata: ObjectMeta): void {
  const { annotations } = metadata
  if (!annotations || !roundTripKeys.some((key) => key in annotations)) return
  for (const key of roundTripKeys) delete annotations[key]
  if (Object.keys(annotations).length === 0) delete metadata.annotations
}

/** The autoscaling/v1 form of a v2 autoscaler. */
export function hpaToV1(object: AnyObject): AnyObject {
  const { spec, status, ...rest } = object as unknown as Hpa
  const metrics = spec?.metrics ?? []
  const others = metrics.filter((metric) => !isCpuUtilization(metric))
  const annotations = { ...rest.metadata.annotations }
  for (const key of roundTripKeys) delete annotations[key]
  if (others.length > 0) annotations[metricsKey] = JSON.stringify(others.map(metricToV1))
  if (status?.currentMetrics?.length) {
    annotations[currentMetricsKey] = JSON.stringify(status.currentMetrics.map(metricStatusToV1))
  }
  if (spec?.behavior) annotations[behaviorKey] = JSON.stringify(behaviorToAnnotation(spec.behavior))
  if (status?.conditions?.length) annotations[conditionsKey] = JSON.stringify(status.conditions.map(conditionToV1))
  const { annotations: _, ...metadata } = rest.metadata
  const v1: HpaV1 = {
    ...rest,
    apiVersion: 'autoscaling/v1',
    metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata,
    spec: specToV1(spec),
  }
  if (status) {
    const { conditions: _conditions, currentMetrics, ...kept } = status
    const cpu = currentMetrics?.findLast(
      ({ type, resource }) =>
        type === 'Resource' && resource?.name === 'cpu' && resource.current?.averageUtilization !== undefined,
    )
    v1.status = compact({
      ...kept,
      currentReplicas: kept.currentReplicas ?? 0,
      currentCPUUtilizationPercentage: cpu?.resource?.current.averageUtilization,
    })
  }
  return v1 as unknown as AnyObject
}

/** The v2 form of an autoscaling/v1 autoscaler; an annotation that cannot be read is ignored. */
export function hpaFromV1(object: AnyObject): AnyObject {
  const { spec, status, ...rest } = object as unknown as HpaV1
  const annotations = rest.metadata.annotations ?? {}
  const metadata = rest.metadata.annotations
    ? { ...rest.metadata, annotations: { ...rest.metadata.annotations } }
    : rest.metadata
  dropRoundTripAnnotations(metadata)
  const hpa: Hpa = { ...rest, apiVersion: 'autoscaling/v2', metadata, spec: specFromV1(spec, annotations) }
  const currentMetrics = readAnnotation(annotations, currentMetricsKey, (value) => list(value, metricStatusFromV1))
  const conditions = readAnnotation(annotations, conditionsKey, (value) => list(value, conditionFromV1))
  if (status || currentMetrics || conditions) {
    const { currentCPUUtilizationPercentage: cpu, ...kept } = status ?? { desiredReplicas: 0 }
    hpa.status = compact({
      ...kept,
      currentMetrics: currentMetrics ?? (cpu === undefined ? undefined : [cpuStatus(cpu)]),
      conditions,
    })
  }
  return hpa as unknown as AnyObject
}

const isCpuUtilization = ({ type, resource }: MetricSpec): boolean =>
  type === 'Resource' && resource?.name === 'cpu' && resource.target?.averageUtilization !== undefined

function specToV1(spec: V2HorizontalPodAutoscalerSpec | undefined): V1HorizontalPodAutoscalerSpec {
  const { behavior: _, metrics, ...kept } = spec ?? ({} as V2HorizontalPodAutoscalerSpec)
  return compact({
    ...kept,
    targetCPUUtilizationPercentage: metrics?.find(isCpuUtilization)?.resource?.target.averageUtilization,
  })
}

function specFromV1(
  spec: V1HorizontalPodAutoscalerSpec | undefined,
  annotations: Record<string, string>,
): V2HorizontalPodAutoscalerSpec {
  const { targetCPUUtilizationPercentage: cpu, ...kept } = spec ?? ({} as V1HorizontalPodAutoscalerSpec)
  const metrics = readAnnotation(annotations, metricsKey, (value) => list(value, metricFromV1)) ?? []
  if (cpu !== undefined) {
    metrics.push({
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } },
    })
  }
  const behavior = readAnnotation(annotations, behaviorKey, behaviorFromAnnotation)
  return compact({
    ...kept,
    metrics: metrics.length > 0 ? metrics : undefined,
    behavior: behavior && Object.keys(behavior).length > 0 ? behavior : undefined,
  })
}

const cpuStatus = (averageUtilization: number): MetricStatus => ({
  type: 'Resource',
  resource: { name: 'cpu', current: { averageUtilization } },
})

function readAnnotation<T>(
  annotations: Record<string, string>,
  key: string,
  read: (value: unknown) => T,
): T | undefined {
  const source = annotations[key]
  if (source === undefined) return undefined
  try {
    return read(JSON.parse(source))
  } catch {
    // Users can write what they like into an annotation; upstream takes an unreadable one for none.
    return undefined
  }
}

const conditionToV1 = (condition: HorizontalPodAutoscalerCondition) => ({
  type: condition.type,
  status: condition.status,
  lastTransitionTime: condition.lastTransitionTime ?? null,
  ...(condition.reason === undefined ? {} : { reason: condition.reason }),
  ...(condition.message === undefined ? {} : { message: condition.message }),
})

function conditionFromV1(value: unknown): HorizontalPodAutoscalerCondition {
  const field = record(value)
  return compact({
    type: required(text(field('type'))),
    status: required(text(field('status'))),
    lastTransitionTime: text(field('lastTransitionTime')),
    reason: text(field('reason')),
    message: text(field('message')),
  })
}

/** Upstream writes the behavior with capital letters and reads it in any case. */
const behaviorToAnnotation = ({ scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior) => ({
  ScaleUp: scaleUp ? rulesToAnnotation(scaleUp) : null,
  ScaleDown: scaleDown ? rulesToAnnotation(scaleDown) : null,
})

const rulesToAnnotation = (rules: HPAScalingRules) => ({
  StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
  SelectPolicy: rules.selectPolicy ?? null,
  Policies:
    rules.policies?.map(({ type, value, periodSeconds }) => ({
      Type: type,
      Value: value,
      PeriodSeconds: periodSeconds,
    })) ?? null,
  Tolerance: rules.tolerance ?? null,
})

function behaviorFromAnnotation(value: unknown): HorizontalPodAutoscalerBehavior {
  const field = record(value)
  return compact({ scaleUp: rulesFrom(field('scaleUp')), scaleDown: rulesFrom(field('scaleDown')) })
}

function rulesFrom(value: unknown): HPAScalingRules | undefined {
  if (value === undefined) return undefined
  const field = record(value)
  const policies = field('policies')
  return compact({
    stabilizationWindowSeconds: optionalInteger(field('stabilizationWindowSeconds')),
    selectPolicy: text(field('selectPolicy')),
    policies:
      policies === undefined
        ? undefined
        : list(policies, (policy) => {
            const part = record(policy)
            return {
              type: text(part('type')) ?? '',
              value: optionalInteger(part('value')) ?? 0,
              periodSeconds: optionalInteger(part('periodSeconds')) ?? 0,
            }
          }),
    tolerance: optionalQuantity(field('tolerance')),
  })
}
