import { containerResourceNameFaults } from '../core/resource-names.ts'
import type { MetricIdentifier, MetricSpec, MetricTarget } from '../generated/types.ts'
import { child, type FieldError, forbidden, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { isDNS1123Label, pathSegmentName } from '../machinery/names.ts'
import { compareQuantity } from '../machinery/quantity.ts'
import { type ReferenceRules, validateReference } from './reference.ts'

/** Metric types and the field that holds each, in the order in which upstream looks at them. */
const sources = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
} as const
type Source = (typeof sources)[keyof typeof sources]
const metricTypes = Object.keys(sources).sort()

/** Faults of one metric: its type, and that the one source which fits the type is there and sound. */
export function validateMetric(metric: MetricSpec, path: string, objectRules: ReferenceRules): FieldError[] {
  const errors: FieldError[] = []
  const { type = '' } = metric
  const known = Object.hasOwn(sources, type)
  if (type === '') errors.push(required(child(path, 'type'), 'must specify a metric source type'))
  if (!known) errors.push(notSupported(child(path, 'type'), type, metricTypes))
  const present = Object.values(sources).filter((source) => metric[source] !== undefined)
  const [first] = present
  if (first) errors.push(...validateSource(first, metric, child(path, first), objectRules))
  const expected = known ? sources[type as keyof typeof sources] : undefined
  if (!expected) errors.push(notSupported(child(path, 'type'), type, metricTypes))
  else if (!metric[expected]) {
    errors.push(required(child(path, expected), 'must populate information for the given metric source'))
  }
  if (present.length !== 1) {
    for (const source of present) {
      if (source !== expected) {
        errors.push(forbidden(child(path, source), 'must populate the given metric source only'))
      }
    }
  }
  return errors
}

function validateSource(source: Source, metric: MetricSpec, path: string, objectRules: ReferenceRules): FieldError[] {
  const target = metric[source]?.target
  const targetPath = child(path, 'target')
  const errors: FieldError[] = []
  switch (source) {
    case 'object':
      errors.push(...validateReference(metric.object?.describedObject, child(path, 'describedObject'), objectRules))
      errors.push(...validateIdentifier(metric.object?.metric, child(path, 'metric')))
      errors.push(...validateTarget(target, targetPath))
      if (target?.value === undefined && target?.averageValue === undefined) {
        errors.push(required(child(targetPath, 'averageValue'), 'must set either a target value or averageValue'))
      }
      break
    case 'external':
      errors.push(...validateIdentifier(metric.external?.metric, child(path, 'metric')))
      errors.push(...validateTarget(target, targetPath))
      if (target?.value === undefined && target?.averageValue === undefined) {
        errors.push(
          required(child(targetPath, 'averageValue'), 'must set either a target value for metric or a per-pod target'),
        )
      }
      if (target?.value !== undefined && target.averageValue !== undefined) {
        errors.push(
          forbidden(child(targetPath, 'value'), 'may not set both a target value for metric and a per-pod target'),
        )
      }
      break
    case 'pods':
      errors.push(...validateIdentifier(metric.pods?.metric, child(path, 'metric')))
      errors.push(...validateTarget(target, targetPath))
      if (target?.averageValue === undefined) {
        errors.push(required(child(targetPath, 'averageValue'), 'must specify a positive target averageValue'))
      }
      break
    case 'resource':
      if (!metric.resource?.name) errors.push(required(child(path, 'name'), 'must specify a resource name'))
      errors.push(...validateUsageTarget(target, targetPath))
      break
    case 'containerResource': {
      const { name = '', container = '' } = metric.containerResource ?? {}
      if (name === '') errors.push(required(child(path, 'name'), 'must specify a resource name'))
      else errors.push(...containerResourceNameFaults(child(path, 'name'), name))
      if (container === '') errors.push(required(child(path, 'container'), 'must specify a container'))
      else {
        errors.push(
          ...isDNS1123Label(container).map((message) => invalid(child(path, 'container'), container, message)),
        )
      }
      errors.push(...validateUsageTarget(target, targetPath))
    }
  }
  return errors
}

function validateUsageTarget(target: MetricTarget | undefined, path: string): FieldError[] {
  const errors = validateTarget(target, path)
  if (target?.averageUtilization === undefined && target?.averageValue === undefined) {
    errors.push(
      required(child(path, 'averageUtilization'), 'must set either a target raw value or a target utilization'),
    )
  }
  if (target?.averageUtilization !== undefined && target.averageValue !== undefined) {
    errors.push(forbidden(child(path, 'averageValue'), 'may not set both a target raw value and a target utilization'))
  }
  return errors
}

function validateTarget(target: MetricTarget | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { type = '', averageUtilization } = target ?? {}
  if (type === '') errors.push(required(child(path, 'type'), 'must specify a metric target type'))
  if (!['Utilization', 'Value', 'AverageValue'].includes(type)) {
    errors.push(invalid(child(path, 'type'), type, 'must be either Utilization, Value, or AverageValue'))
  }
  for (const field of ['value', 'averageValue'] as const) {
    const quantity = target?.[field]
    if (quantity !== undefined && compareQuantity(quantity, '0') <= 0) {
      errors.push(invalid(child(path, field), quantity, 'must be positive'))
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(child(path, 'averageUtilization'), averageUtilization, 'must be greater than 0'))
  }
  return errors
}

function validateIdentifier(metric: MetricIdentifier | undefined, path: string): FieldError[] {
  const name = metric?.name ?? ''
  if (name === '') return [required(child(path, 'name'), 'must specify a metric name')]
  return pathSegmentName(name, false).map((message) => invalid(child(path, 'name'), name, message))
}
