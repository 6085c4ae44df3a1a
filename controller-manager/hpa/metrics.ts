import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const prefix = 'horizontal_pod_autoscaler_controller'
const buckets = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i)

export type Action = 'scale_up' | 'scale_down' | 'none'
/** Upstream's third, `spec`, is for what the API server never lets in. */
export type Fault = 'internal' | 'none'

/** What a wanted size means for a present one. */
export function actionOf(current: number, wanted: number | undefined): Action {
  if (wanted === undefined || wanted === current) return 'none'
  return wanted > current ? 'scale_up' : 'scale_down'
}

/** What is counted of autoscaling, under upstream's names. */
export function autoscalerMetrics(registry: Registry) {
  const counted = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `${prefix}_${name}_total`, help, labelNames, registers: [registry] })
  const timed = (name: string, help: string, labelNames: string[]) =>
    new Histogram({ name: `${prefix}_${name}_duration_seconds`, help, labelNames, buckets, registers: [registry] })
  const labels = ['action', 'error']
  const looks = counted('reconciliations', 'Looks at an autoscaler, by what was done and what went wrong', labels)
  const lookTimes = timed('reconciliation', 'Seconds of a look at an autoscaler', labels)
  const metricLabels = [...labels, 'metric_type']
  const sizes = counted('metric_computation', 'Sizes worked out from a metric', metricLabels)
  const sizeTimes = timed('metric_computation', 'Seconds until a metric is known', metricLabels)
  const all = new Gauge({
    name: `${prefix}_num_horizontal_pod_autoscalers`,
    help: 'Autoscalers there are',
    registers: [registry],
  })
  const desired = new Gauge({
    name: `${prefix}_desired_replicas`,
    help: 'Replicas an autoscaler wants',
    labelNames: ['namespace', 'hpa_name'],
    registers: [registry],
  })
  return {
    looked(action: Action, error: Fault, seconds: number): void {
      looks.inc({ action, error })
      lookTimes.observe({ action, error }, seconds)
    },
    sized(type: string, action: Action, error: Fault, seconds: number): void {
      const by = { action, error, metric_type: type }
      sizes.inc(by)
      sizeTimes.observe(by, seconds)
    },
    came: () => all.inc(),
    went: () => all.dec(),
    wants: (namespace: string, name: string, replicas: number) => desired.set({ namespace, hpa_name: name }, replicas),
    forget: (namespace: string, name: string) => desired.remove({ namespace, hpa_name: name }),
  }
}
