import type {
  HPAScalingPolicy,
  HPAScalingRules,
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerSpec,
} from '../generated/types.ts'
import { child, type FieldError, forbidden, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { compareQuantity } from '../machinery/quantity.ts'
import { validateMetric } from './metric-validation.ts'
import { type ReferenceRules, validateReference, versionFault } from './reference.ts'

const maxPeriodSeconds = 1800
const maxStabilizationWindowSeconds = 3600

/** Faults of the spec of a v2 autoscaler. */
export function validateHpa(
  { spec = {} as V2HorizontalPodAutoscalerSpec }: Stored<V2HorizontalPodAutoscaler>,
  old: Stored<V2HorizontalPodAutoscaler> | undefined,
): FieldError[] {
  const errors: FieldError[] = []
  const { minReplicas, maxReplicas = 0, metrics = [] } = spec
  // Scaling to zero, as upstream with the gate HPAScaleToZero; the rule for metrics below is its price.
  if (minReplicas !== undefined && minReplicas < 0) {
    errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 0'))
  }
  if (maxReplicas === 0) errors.push(required('spec.maxReplicas', 'must be set and greater than 0'))
  else if (maxReplicas < 0) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to 1'))
  }
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  }
  errors.push(...validateReference(spec.scaleTargetRef, 'spec.scaleTargetRef', targetRules(spec, old?.spec)))

  const objectRules = { emptyGroup: true, invalidVersion: hasInvalidObjectVersion(old?.spec) }
  for (const [i, metric] of metrics.entries()) {
    errors.push(...validateMetric(metric, index('spec.metrics', i), objectRules))
  }
  if (minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    errors.push(
      forbidden(
        'spec.metrics',
        'must specify at least one Object or External metric to support scaling to zero replicas',
      ),
    )
  }
  errors.push(...validateRules(spec.behavior?.scaleUp, 'spec.behavior.scaleUp'))
  errors.push(...validateRules(spec.behavior?.scaleDown, 'spec.behavior.scaleDown'))
  return errors
}

function targetRules(
  { scaleTargetRef: target }: V2HorizontalPodAutoscalerSpec,
  old: V2HorizontalPodAutoscalerSpec | undefined,
): ReferenceRules {
  const before = old?.scaleTargetRef
  const unchanged = old !== undefined && before?.apiVersion === target?.apiVersion && before?.kind === target?.kind
  return { invalidVersion: unchanged, emptyGroup: !unchanged && target?.kind === 'ReplicationController' }
}

const hasInvalidObjectVersion = (old: V2HorizontalPodAutoscalerSpec | undefined): boolean =>
  (old?.metrics ?? []).some(
    ({ type, object }) =>
      type === 'Object' &&
      object !== undefined &&
      versionFault(object.describedObject?.apiVersion ?? '', { emptyGroup: true, invalidVersion: false }) !== undefined,
  )

const selectPolicies = ['Disabled', 'Max', 'Min']

function validateRules(rules: HPAScalingRules | undefined, path: string): FieldError[] {
  if (!rules) return []
  const errors: FieldError[] = []
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules
  const windowPath = child(path, 'stabilizationWindowSeconds')
  if (window !== undefined && window < 0) {
    errors.push(invalid(windowPath, window, 'must be greater than or equal to zero'))
  }
  if (window !== undefined && window > maxStabilizationWindowSeconds) {
    errors.push(invalid(windowPath, window, `must be less than or equal to ${maxStabilizationWindowSeconds}`))
  }
  if (selectPolicy !== undefined && !selectPolicies.includes(selectPolicy)) {
    errors.push(notSupported(child(path, 'selectPolicy'), selectPolicy, selectPolicies))
  }
  const policiesPath = child(path, 'policies')
  if (policies.length === 0) errors.push(required(policiesPath, 'must specify at least one Policy'))
  errors.push(...policies.flatMap((policy, i) => validatePolicy(policy, index(policiesPath, i))))
  if (tolerance !== undefined && compareQuantity(tolerance, '0') < 0) {
    errors.push(invalid(child(path, 'tolerance'), tolerance, 'must be greater than or equal to 0'))
  }
  return errors
}

const policyTypes = ['Percent', 'Pods']

function validatePolicy({ type = '', value = 0, periodSeconds = 0 }: HPAScalingPolicy, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (!policyTypes.includes(type)) errors.push(notSupported(child(path, 'type'), type, policyTypes))
  if (value <= 0) errors.push(invalid(child(path, 'value'), value, 'must be greater than zero'))
  const period = child(path, 'periodSeconds')
  if (periodSeconds <= 0) errors.push(invalid(period, periodSeconds, 'must be greater than zero'))
  if (periodSeconds > maxPeriodSeconds) {
    errors.push(invalid(period, periodSeconds, `must be less than or equal to ${maxPeriodSeconds}`))
  }
  return errors
}
