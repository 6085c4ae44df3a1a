import type { MetricSpec, MetricStatus, MetricTarget, V2CrossVersionObjectReference } from '../generated/types.ts'
import { compareQuantity } from '../machinery/quantity.ts'
import { compact, optionalInteger, optionalQuantity, record, required, selector, text } from './annotation-reader.ts'

/** The forms of metrics that autoscaling/v1 keeps in annotations. */

const utilizationFields = (target: Partial<MetricTarget> | undefined) => ({
  targetAverageUtilization: target?.averageUtilization,
  targetAverageValue: target?.averageValue,
})

/** A metric of the spec. JSON.stringify leaves out what is undefined. */
export function metricToV1({ type, object, pods, resource, containerResource, external }: MetricSpec) {
  return {
    type,
    object: object && {
      target: object.describedObject,
      metricName: object.metric?.name,
      targetValue: object.target?.value ?? '0',
      selector: object.metric?.selector,
      averageValue: object.target?.averageValue,
    },
    pods: pods && {
      metricName: pods.metric?.name,
      targetAverageValue: pods.target?.averageValue ?? '0',
      selector: pods.metric?.selector,
    },
    resource: resource && { name: resource.name, ...utilizationFields(resource.target) },
    containerResource: containerResource && {
      name: containerResource.name,
      ...utilizationFields(containerResource.target),
      container: containerResource.container,
    },
    external: external && {
      metricName: external.metric?.name,
      metricSelector: external.metric?.selector,
      targetValue: external.target?.value,
      targetAverageValue: external.target?.averageValue,
    },
  }
}

type Fields = (name: string) => unknown

const sub = <T>(fields: Fields, name: string, read: (part: Fields) => T): T | undefined => {
  const value = fields(name)
  return value === undefined ? undefined : read(record(value))
}

/** The reverse of {@link metricToV1}. The kind of target is not told in v1; it follows from the field that is set. */
export function metricFromV1(value: unknown): MetricSpec {
  const fields = record(value)
  return compact({
    type: required(text(fields('type'))),
    object: sub(fields, 'object', (part) => ({
      describedObject: reference(part('target')),
      metric: compact({ name: required(text(part('metricName'))), selector: selector(part('selector')) }),
      target: objectTarget(part),
    })),
    pods: sub(fields, 'pods', (part) => ({
      metric: compact({ name: required(text(part('metricName'))), selector: selector(part('selector')) }),
      target: { type: 'AverageValue', averageValue: optionalQuantity(part('targetAverageValue')) ?? '0' },
    })),
    resource: sub(fields, 'resource', (part) => ({
      name: required(text(part('name'))),
      target: usageTarget(part),
    })),
    containerResource: sub(fields, 'containerResource', (part) => ({
      name: required(text(part('name'))),
      container: required(text(part('container'))),
      target: usageTarget(part),
    })),
    external: sub(fields, 'external', (part) => {
      const targetValue = optionalQuantity(part('targetValue'))
      return {
        metric: compact({ name: required(text(part('metricName'))), selector: selector(part('metricSelector')) }),
        target: compact({
          type: targetValue === undefined ? 'AverageValue' : 'Value',
          value: targetValue,
          averageValue: optionalQuantity(part('targetAverageValue')),
        }),
      }
    }),
  })
}

function objectTarget(part: Fields): MetricTarget {
  const value = optionalQuantity(part('targetValue')) ?? '0'
  const averageValue = optionalQuantity(part('averageValue'))
  if (averageValue === undefined) return { type: 'Value', value }
  return compareQuantity(value, '0') === 0
    ? { type: 'AverageValue', averageValue }
    : { type: 'AverageValue', value, averageValue }
}

function usageTarget(part: Fields): MetricTarget {
  const averageUtilization = optionalInteger(part('targetAverageUtilization'))
  return compact({
    type: averageUtilization === undefined ? 'AverageValue' : 'Utilization',
    averageValue: optionalQuantity(part('targetAverageValue')),
    averageUtilization,
  })
}

function reference(value: unknown): V2CrossVersionObjectReference {
  const field = record(value ?? {})
  return compact({
    kind: required(text(field('kind'))),
    name: required(text(field('name'))),
    apiVersion: text(field('apiVersion')),
  })
}

/**
 * A metric of the status. Values that are absent stay absent, where upstream writes a zero: its clients read the same,
 * and ours lose nothing.
 */
export function metricStatusToV1({ type, object, pods, resource, containerResource, external }: MetricStatus) {
  return {
    type,
    object: object && {
      target: object.describedObject,
      metricName: object.metric?.name,
      currentValue: object.current?.value,
      selector: object.metric?.selector,
      averageValue: object.current?.averageValue,
    },
    pods: pods && {
      metricName: pods.metric?.name,
      currentAverageValue: pods.current?.averageValue,
      selector: pods.metric?.selector,
    },
    resource: resource && {
      name: resource.name,
      currentAverageUtilization: resource.current?.averageUtilization,
      currentAverageValue: resource.current?.averageValue,
    },
    containerResource: containerResource && {
      name: containerResource.name,
      currentAverageUtilization: containerResource.current?.averageUtilization,
      currentAverageValue: containerResource.current?.averageValue,
      container: containerResource.container,
    },
    external: external && {
      metricName: external.metric?.name,
      metricSelector: external.metric?.selector,
      currentValue: external.current?.value,
      currentAverageValue: external.current?.averageValue,
    },
  }
}

/** The reverse of {@link metricStatusToV1}. */
export function metricStatusFromV1(value: unknown): MetricStatus {
  const fields = record(value)
  const usage = (part: Fields) =>
    compact({
      averageValue: optionalQuantity(part('currentAverageValue')),
      averageUtilization: optionalInteger(part('currentAverageUtilization')),
    })
  return compact({
    type: required(text(fields('type'))),
    object: sub(fields, 'object', (part) => ({
      describedObject: reference(part('target')),
      metric: compact({ name: required(text(part('metricName'))), selector: selector(part('selector')) }),
      current: compact({
        value: optionalQuantity(part('currentValue')),
        averageValue: optionalQuantity(part('averageValue')),
      }),
    })),
    pods: sub(fields, 'pods', (part) => ({
      metric: compact({ name: required(text(part('metricName'))), selector: selector(part('selector')) }),
      current: compact({ averageValue: optionalQuantity(part('currentAverageValue')) }),
    })),
    resource: sub(fields, 'resource', (part) => ({ name: required(text(part('name'))), current: usage(part) })),
    containerResource: sub(fields, 'containerResource', (part) => ({
      name: required(text(part('name'))),
      container: required(text(part('container'))),
      current: usage(part),
    })),
    external: sub(fields, 'external', (part) => ({
      metric: compact({ name: required(text(part('metricName'))), selector: selector(part('metricSelector')) }),
      current: compact({
        value: optionalQuantity(part('currentValue')),
        averageValue: optionalQuantity(part('currentAverageValue')),
      }),
    })),
  })
}
