import { describe, expect, test } from 'vitest'
import type { MetricSpec, V2HorizontalPodAutoscalerSpec } from '../../api/generated/types.ts'
import { at, pod, t0 } from '../testing/build.ts'
import { firstMemory } from './memory.ts'
import { firstStep, planSize } from './plan.ts'
import type { Condition, Hpa, PodView, Reading } from './types.ts'

const options = {
  syncPeriodMs: 15_000,
  tolerance: 0.1,
  downscaleStabilizationMs: 300_000,
  cpuInitializationPeriodMs: 300_000,
  initialReadinessDelayMs: 30_000,
}

const cpu = (percent: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } },
})
const external = (target: { value: string } | { averageValue: string }): MetricSpec => ({
  type: 'External',
  external: {
    metric: { name: 'queue', selector: { matchLabels: { of: 'orders' } } },
    target: { type: 'value' in target ? 'Value' : 'AverageValue', ...target },
  },
})

function hpa(spec: Partial<V2HorizontalPodAutoscalerSpec>, conditions: Condition[] = []): Hpa {
  return {
    metadata: { name: 'web', namespace: 'default' },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 10, metrics: [cpu(50)], ...spec },
    status: { desiredReplicas: 0, conditions },
  }
}

const asleep: Condition = { type: 'ScaledToZero', status: 'True' }

describe('the first step', () => {
  test.each([
    ['within bounds', hpa({}), 3, { do: 'measure' }],
    [
      'too many',
      hpa({ maxReplicas: 4 }),
      5,
      { do: 'resize', replicas: 4, reason: 'Current number of replicas above Spec.MaxReplicas' },
    ],
    [
      'too few',
      hpa({ minReplicas: 2 }),
      1,
      { do: 'resize', replicas: 2, reason: 'Current number of replicas below Spec.MinReplicas' },
    ],
    ['set to zero by somebody', hpa({}), 0, { do: 'nothing' }],
    [
      'set to zero by somebody, though it might be',
      hpa({ minReplicas: 0, metrics: [external({ value: '1' })] }),
      0,
      { do: 'nothing' },
    ],
    ['put to sleep', hpa({ minReplicas: 0, metrics: [external({ value: '1' })] }, [asleep]), 0, { do: 'measure' }],
    ['put to sleep, and nobody to wake it', hpa({ minReplicas: 0 }, [asleep]), 0, { do: 'nothing' }],
    ['put to sleep, which is forbidden now', hpa({ minReplicas: 2 }, [asleep]), 0, { do: 'measure' }],
  ])('%s', (_, one, current, step) => {
    expect(firstStep(one, current)).toEqual(step)
  })
})

const workers = (count: number): PodView[] =>
  Array.from({ length: count }, (_, i) => {
    const made = pod({ name: `p${i}`, ready: 0 })
    return {
      ...made,
      spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] },
      status: { ...made.status, startTime: at(0) },
    }
  })
const each = (count: number, milli: number): Reading => ({
  of: 'pods',
  samples: new Map(
    Array.from({ length: count }, (_, i) => [`p${i}`, { milli, timestampMs: t0 + 3600_000, windowMs: 15_000 }]),
  ),
})
const whole = (milli: number): Reading => ({ of: 'target', milli })
const silent: Reading = { of: 'nothing', message: 'no metrics returned from resource metrics API' }

function plan(one: Hpa, current: number, readings: Reading[]) {
  const nowMs = t0 + 3600_000
  return planSize({
    hpa: one,
    scale: { specReplicas: current, statusReplicas: current },
    pods: workers(current),
    readings,
    memory: firstMemory(1, nowMs),
    conditions: one.status?.conditions ?? [],
    options,
    nowMs,
  })
}

const reasons = (conditions: Condition[]) => conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)

describe('the size', () => {
  test.each<[string, Hpa, number, Reading[], number | undefined, string, string[]]>([
    [
      'grows by one metric',
      hpa({}),
      2,
      [each(2, 900)],
      4,
      'cpu resource utilization (percentage of request) above target',
      [
        'ScalingActive=True ValidMetricFound',
        'AbleToScale=True ReadyForNewScale',
        'ScalingLimited=False DesiredWithinRange',
      ],
    ],
    [
      'stays where it is',
      hpa({}),
      2,
      [each(2, 500)],
      2,
      '',
      [
        'ScalingActive=True ValidMetricFound',
        'AbleToScale=True ReadyForNewScale',
        'ScalingLimited=False DesiredWithinRange',
      ],
    ],
    [
      'is the largest that any metric asks for',
      hpa({ metrics: [cpu(50), external({ averageValue: '1' })] }),
      2,
      [each(2, 100), whole(4000)],
      4,
      'external metric queue(&LabelSelector{MatchLabels:map[string]string{of: orders,},MatchExpressions:[]LabelSelectorRequirement{},}) above target',
      [
        'ScalingActive=True ValidMetricFound',
        'AbleToScale=True ReadyForNewScale',
        'ScalingLimited=False DesiredWithinRange',
      ],
    ],
    [
      'grows though one metric is silent',
      hpa({ metrics: [cpu(50), external({ averageValue: '1' })] }),
      2,
      [silent, whole(4000)],
      4,
      'external metric queue(&LabelSelector{MatchLabels:map[string]string{of: orders,},MatchExpressions:[]LabelSelectorRequirement{},}) above target',
      [
        'ScalingActive=True ValidMetricFound',
        'AbleToScale=True ReadyForNewScale',
        'ScalingLimited=False DesiredWithinRange',
      ],
    ],
    [
      'does not shrink while one metric is silent',
      hpa({ metrics: [cpu(50), external({ averageValue: '1' })] }),
      2,
      [silent, whole(1000)],
      undefined,
      '',
      ['ScalingActive=False FailedGetResourceMetric'],
    ],
    [
      'is unknown when all are silent',
      hpa({}),
      2,
      [silent],
      undefined,
      '',
      ['ScalingActive=False FailedGetResourceMetric'],
    ],
    [
      'is held back as it grows fast',
      hpa({}),
      1,
      [each(1, 5000)],
      4,
      'cpu resource utilization (percentage of request) above target',
      ['ScalingActive=True ValidMetricFound', 'AbleToScale=True ReadyForNewScale', 'ScalingLimited=True ScaleUpLimit'],
    ],
    [
      'shrinks to the minimum',
      hpa({ minReplicas: 2 }),
      4,
      [each(4, 100)],
      2,
      'All metrics below target',
      [
        'ScalingActive=True ValidMetricFound',
        'AbleToScale=True ReadyForNewScale',
        'ScalingLimited=True TooFewReplicas',
      ],
    ],
    [
      'goes by tolerances of its own',
      hpa({ behavior: { scaleUp: { tolerance: '0.9', policies: [{ type: 'Pods', value: 9, periodSeconds: 9 }] } } }),
      2,
      [each(2, 900)],
      2,
      '',
      [
        'ScalingActive=True ValidMetricFound',
        'AbleToScale=True ReadyForNewScale',
        'ScalingLimited=False DesiredWithinRange',
      ],
    ],
  ])('%s', (_, one, current, readings, replicas, reason, conditions) => {
    const got = plan(one, current, readings)
    expect([got.replicas, got.reason, reasons(got.conditions)]).toEqual([replicas, reason, conditions])
  })

  test('wakes up when there is something to do, and sleeps on while there is not', () => {
    const one = hpa({ minReplicas: 0, metrics: [external({ averageValue: '1' })] }, [asleep])
    expect(plan(one, 0, [whole(2500)]).replicas).toBe(3)
    expect(plan({ ...one, spec: { ...one.spec, behavior: {} } }, 0, [whole(0)]).replicas).toBe(0)
  })

  test('wakes up to a minimum that it has been given meanwhile', () => {
    const one = hpa({ minReplicas: 2, metrics: [external({ value: '1' })], behavior: {} }, [asleep])
    expect(plan(one, 0, [whole(0)])).toMatchObject({
      replicas: 2,
      reason: 'Current number of replicas below Spec.MinReplicas',
    })
  })
})

describe('what is told', () => {
  test('each metric in turn, also those of which nothing is known', () => {
    const metrics = [cpu(50), external({ averageValue: '1' }), external({ value: '5' })]
    expect(plan(hpa({ metrics }), 2, [silent, whole(3000), whole(20_000)]).metrics).toEqual([
      { type: '' },
      { type: 'External', external: { metric: metrics[1]?.external?.metric, current: { averageValue: '1500m' } } },
      { type: 'External', external: { metric: metrics[1]?.external?.metric, current: { value: '20' } } },
    ])
    expect(plan(hpa({}), 2, [each(2, 250)]).metrics).toEqual([
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 25, averageValue: '250m' } } },
    ])
  })

  const object = (target: { value: string } | { averageValue: string }): MetricSpec => ({
    type: 'Object',
    object: {
      describedObject: { apiVersion: 'v1', kind: 'Service', name: 'web' },
      metric: { name: 'hits' },
      target: { type: 'value' in target ? 'Value' : 'AverageValue', ...target },
    },
  })
  const memory: MetricSpec = {
    type: 'ContainerResource',
    containerResource: { name: 'memory', container: 'c', target: { type: 'AverageValue', averageValue: '2Mi' } },
  }
  const hits: MetricSpec = {
    type: 'Pods',
    pods: { metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '10' } },
  }

  test.each<[string, MetricSpec, Reading, string, object]>([
    ['an object', object({ value: '2' }), whole(4000), 'Service metric hits', { object: { current: { value: '4' } } }],
    [
      'an object, shared',
      object({ averageValue: '2' }),
      whole(8000),
      'external metric hits(nil)',
      { object: { current: { averageValue: '4' } } },
    ],
    ['pods', hits, each(2, 20_000), 'pods metric hits', { pods: { current: { averageValue: '20' } } }],
    [
      'a container',
      memory,
      each(2, 4 * 2 ** 20 * 1000),
      'memory resource',
      { containerResource: { name: 'memory', container: 'c', current: { averageValue: '4Mi' } } },
    ],
  ])('%s', (_, metric, reading, called, status) => {
    const got = plan(hpa({ metrics: [metric] }), 2, [reading])
    expect(got).toMatchObject({ replicas: 4, reason: `${called} above target`, metrics: [status] })
  })

  test.each<[string, MetricSpec, string, string]>([
    [
      'resource',
      cpu(50),
      'failed to get cpu utilization: unable to get metrics for resource cpu: it is gone',
      'failed to get cpu resource metric value: ',
    ],
    [
      'container resource',
      memory,
      'failed to get memory usage: unable to get metrics for resource memory: it is gone',
      'failed to get c container metric value: ',
    ],
    ['pods', hits, 'unable to get metric hits: it is gone', 'failed to get pods metric value: '],
    [
      'object',
      object({ value: '2' }),
      'unable to get metric hits on Service default/web: it is gone',
      'failed to get object metric value: ',
    ],
    [
      'external',
      external({ value: '1' }),
      'failed to get external metric queue: unable to get external metric default/queue/&LabelSelector{MatchLabels:map[string]string{of: orders,},MatchExpressions:[]LabelSelectorRequirement{},}: it is gone',
      'failed to get queue external metric value: ',
    ],
    ['unknown', { type: 'Magic' }, 'unknown metric source type "Magic"', ''],
  ])('that nothing is known of a %s', (_, metric, message, before) => {
    const got = plan(hpa({ metrics: [metric] }), 2, [{ of: 'nothing', message: 'it is gone' }])
    expect(got.notes.map((note) => note.message)).toEqual([message])
    expect(got.conditions[0]?.message).toBe(`the HPA was unable to compute the replica count: ${message}`)
    expect(got.error).toBe(`invalid metrics (1 invalid out of 1), first error is: ${before}${message}`)
  })
})
