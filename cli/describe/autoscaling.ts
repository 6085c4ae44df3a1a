import type {
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  V2HorizontalPodAutoscaler,
} from '../../api/generated/types.ts'
import { describes } from './describer.ts'
import { field, identity, indent, longTime, orUnset, section, tabled } from './lines.ts'

const unknown = '<unknown>'

/** An autoscaler: what it measures, what it wants, and what it did. */
export const horizontalPodAutoscaler = describes<V2HorizontalPodAutoscaler>((object) => {
  const { metadata, spec, status } = object
  const { kind, name } = spec?.scaleTargetRef ?? { kind: '', name: '' }
  return [
    ...identity(object),
    field('CreationTimestamp', longTime(metadata.creationTimestamp)),
    field('Reference', `${kind}/${name}`),
    field('Metrics', '( current / target )'),
    ...indent((spec?.metrics ?? []).map((metric, i) => metricLine(metric, status?.currentMetrics?.[i]))),
    field('Min replicas', orUnset(spec?.minReplicas)),
    field('Max replicas', spec?.maxReplicas),
    ...(spec?.behavior
      ? [
          'Behavior:',
          ...indent([
            ...directionLines('Scale Up', spec.behavior.scaleUp),
            ...directionLines('Scale Down', spec.behavior.scaleDown),
          ]),
        ]
      : []),
    field(`${kind} pods`, `${status?.currentReplicas ?? 0} current / ${status?.desiredReplicas ?? 0} desired`),
    ...(status?.conditions?.length
      ? section(
          'Conditions',
          tabled(
            ['Type', 'Status', 'Reason', 'Message'],
            status.conditions.map(({ type, status: is, reason = '', message = '' }) => [type, is, reason, message]),
          ),
        )
      : []),
  ]
})

/** A metric with its current and its wanted value. */
function metricLine(metric: MetricSpec, current: MetricStatus | undefined): string {
  switch (metric.type) {
    case 'Resource':
      return resourceLine(
        `resource ${metric.resource?.name} on pods`,
        metric.resource?.target,
        current?.resource?.current,
      )
    case 'ContainerResource': {
      const { name, container, target } = metric.containerResource ?? {}
      return resourceLine(
        `resource ${name} of container "${container}" on pods`,
        target,
        current?.containerResource?.current,
      )
    }
    case 'Pods':
      return field(
        `"${metric.pods?.metric.name}" on pods`,
        pair(current?.pods?.current.averageValue, metric.pods?.target.averageValue),
      )
    case 'Object': {
      const { metric: of, describedObject: on, target } = metric.object ?? {}
      return valueLine(
        `"${of?.name}" on ${on?.kind}/${on?.name}`,
        target,
        current?.object?.current,
        target?.type === 'AverageValue',
      )
    }
    case 'External': {
      const { metric: of, target } = metric.external ?? {}
      return valueLine(`"${of?.name}"`, target, current?.external?.current, target?.averageValue !== undefined)
    }
  }
  return `<unknown metric type "${metric.type}">`
}

const pair = (current: unknown, target: unknown): string => `${current ?? unknown} / ${target ?? ''}`

function valueLine(
  what: string,
  target: MetricTarget | undefined,
  current: MetricValueStatus | undefined,
  average: boolean,
): string {
  return average
    ? field(`${what} (target average value)`, pair(current?.averageValue, target?.averageValue))
    : field(`${what} (target value)`, pair(current?.value, target?.value))
}

function resourceLine(what: string, target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return field(what, pair(current?.averageValue, target.averageValue))
  const now =
    current?.averageUtilization === undefined ? unknown : `${current.averageUtilization}% (${current.averageValue})`
  const wanted = target?.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`
  return field(`${what}  (as a percentage of request)`, pair(now, wanted))
}

function directionLines(direction: string, rules: HPAScalingRules | undefined): string[] {
  if (!rules) return []
  const { stabilizationWindowSeconds: window, policies = [], selectPolicy = 'Max' } = rules
  return [
    `${direction}:`,
    ...indent([
      ...(window === undefined ? [] : [`Stabilization Window: ${window} seconds`]),
      ...(policies.length > 0
        ? [
            `Select Policy: ${selectPolicy}`,
            ...section(
              'Policies',
              policies.map(
                ({ type, value, periodSeconds }) =>
                  `- Type: ${type}\tValue: ${value}\tPeriod: ${periodSeconds} seconds`,
              ),
            ),
          ]
        : []),
    ]),
  ]
}
