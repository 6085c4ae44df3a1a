import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../generated/types.ts'

const shownMetrics = 2
const unknown = '<unknown>'

/** `cpu: 10%/80%, 5/10 (avg) + 1 more...` */
export function formatMetrics(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return '<none>'
  const shown = specs.slice(0, shownMetrics).map((spec, i) => formatMetric(spec, statuses[i]))
  const more = specs.length - shown.length
  return shown.join(', ') + (more > 0 ? ` + ${more} more...` : '')
}

function formatMetric(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'External':
      return formatValue(spec.external?.target, status?.external?.current)
    case 'Object':
      return formatValue(spec.object?.target, status?.object?.current)
    case 'Pods':
      return `${status?.pods?.current?.averageValue ?? unknown}/${spec.pods?.target?.averageValue ?? unknown}`
    case 'Resource':
      return `${spec.resource?.name ?? ''}: ${formatUsage(spec.resource?.target, status?.resource?.current)}`
    case 'ContainerResource':
      return `${spec.containerResource?.name ?? ''}: ${formatUsage(spec.containerResource?.target, status?.containerResource?.current)}`
    default:
      return '<unknown type>'
  }
}

const formatValue = (target: MetricTarget | undefined, current: MetricValueStatus | undefined): string =>
  target?.averageValue !== undefined
    ? `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`
    : `${current?.value ?? unknown}/${target?.value ?? unknown}`

function formatUsage(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue}`
  const percent = (value: number | undefined, otherwise: string) => (value === undefined ? otherwise : `${value}%`)
  return `${percent(current?.averageUtilization, unknown)}/${percent(target?.averageUtilization, '<auto>')}`
}
