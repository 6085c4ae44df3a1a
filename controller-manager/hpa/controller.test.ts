import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { MetricSpec, V2HorizontalPodAutoscalerSpec } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { deployments, horizontalPodAutoscalers, pods } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { deployment, depsFor, pod, type Told } from '../testing/build.ts'
import { newHpaController } from './controller.ts'

const perMinute = 60_000
const sync = 15_000

let clock: FakeClock
let api: MemoryApi
let told: Told[]
let metrics: () => Promise<string>
let stop: AbortController

beforeEach(async () => {
  clock = new FakeClock()
  api = new MemoryApi({ clock })
  stop = new AbortController()
  const informers = new InformerFactory(api, { clock })
  const made = depsFor(api, informers, clock)
  told = made.told
  metrics = () => made.deps.metrics.metrics()
  const controller = newHpaController(made.deps)
  await informers.start(stop.signal)
  runController(controller, { signal: stop.signal }).catch(() => {})
})

afterEach(() => stop.abort())

/** Ready pods of the deployment, each of which requests one core. */
async function runPods(count: number): Promise<void> {
  for (const { metadata } of api.objects(pods)) await api.delete(pods, metadata)
  for (let i = 0; i < count; i++) {
    const one = pod({ name: `p${i}`, ready: 0, labels: { app: 'web' } })
    one.spec = { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] }
    one.status = { ...one.status, startTime: '2025-12-31T00:00:00Z' }
    await api.create(pods, one)
  }
  api.edit(deployments, { namespace: 'default', name: 'web' }, (web) => {
    web.status = { ...web.status, replicas: count }
  })
}

/** What each pod uses, in thousandths of a core. */
function usage(milli: number): void {
  api.paths.set('/apis/metrics.k8s.io/v1beta1/namespaces/default/pods', ({ labelSelector }) => ({
    items:
      labelSelector === 'app=web'
        ? api.objects(pods).map(({ metadata }) => ({
            metadata: { name: metadata.name },
            timestamp: new Date(clock.now()).toISOString(),
            window: '10s',
            containers: [{ name: 'c', usage: { cpu: `${milli}m` } }],
          }))
        : [],
  }))
}

const queued = (length: number) =>
  api.paths.set('/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue', () => ({
    items: [{ metricName: 'queue', value: String(length) }],
  }))

const byQueue: MetricSpec = {
  type: 'External',
  external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } },
}

const cpuAtHalf: MetricSpec[] = [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
]

const autoscale = (spec: Partial<V2HorizontalPodAutoscalerSpec> = {}, name = 'web') =>
  api.create(horizontalPodAutoscalers, {
    metadata: { name, namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: cpuAtHalf,
      ...spec,
    },
    status: { desiredReplicas: 0 },
  })

const replicas = () => api.objects(deployments)[0]?.spec?.replicas
const status = () => api.objects(horizontalPodAutoscalers)[0]?.status
const conditions = () => status()?.conditions?.map((one) => `${one.type}=${one.status} ${one.reason}`)
const lastNotes = () => told.splice(0).map(({ type, reason, message }) => `${type} ${reason}: ${message}`)

describe('an autoscaler by CPU', () => {
  test('grows at once, and shrinks when the load is gone for long enough', async () => {
    await api.create(deployments, { ...deployment({ replicas: 1 }), status: {} })
    await runPods(1)
    usage(900)
    await autoscale()
    await clock.advance(100)
    expect(replicas()).toBe(2)
    expect(status()).toMatchObject({
      currentReplicas: 1,
      desiredReplicas: 2,
      lastScaleTime: '2026-01-01T00:00:00Z',
      currentMetrics: [
        { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 90, averageValue: '900m' } } },
      ],
    })
    expect(conditions()).toEqual([
      'AbleToScale=True SucceededRescale',
      'ScalingActive=True ValidMetricFound',
      'ScalingLimited=False DesiredWithinRange',
      'ScaledToZero=False NotScaledToZero',
    ])
    expect(lastNotes()).toEqual([
      'Normal SuccessfulRescale: New size: 2; reason: cpu resource utilization (percentage of request) above target',
    ])
    await runPods(2)
    usage(100)
    await clock.advance(sync)
    expect(replicas()).toBe(2)
    expect(conditions()).toContain('AbleToScale=True ScaleDownStabilized')
    await clock.advance(5 * perMinute)
    expect(replicas()).toBe(1)
    expect(lastNotes()).toEqual(['Normal SuccessfulRescale: New size: 1; reason: All metrics below target'])
  })

  test('counts what it does under upstream’s names', async () => {
    await api.create(deployments, { ...deployment({ replicas: 1 }), status: {} })
    await runPods(1)
    usage(900)
    await autoscale({ metrics: [...cpuAtHalf, byQueue] })
    await clock.advance(100)
    const text = await metrics()
    const prefix = 'horizontal_pod_autoscaler_controller'
    for (const line of [
      `${prefix}_reconciliations_total{action="scale_up",error="internal"} 1`,
      `${prefix}_metric_computation_total{action="scale_up",error="none",metric_type="Resource"} 1`,
      `${prefix}_metric_computation_total{action="none",error="internal",metric_type="External"} 1`,
      `${prefix}_num_horizontal_pod_autoscalers 1`,
      `${prefix}_desired_replicas{namespace="default",hpa_name="web"} 2`,
    ])
      expect(text).toContain(line)
    await api.delete(horizontalPodAutoscalers, { namespace: 'default', name: 'web' })
    await clock.advance(sync)
    expect(await metrics()).toContain(`${prefix}_num_horizontal_pod_autoscalers 0`)
    expect(await metrics()).not.toContain(`${prefix}_desired_replicas{`)
  })

  test('writes nothing while nothing changes', async () => {
    await api.create(deployments, { ...deployment({ replicas: 1 }), status: {} })
    await runPods(1)
    usage(500)
    await autoscale()
    await clock.advance(perMinute)
    const writes = () =>
      api.calls.filter(({ verb, resource }) => verb === 'update' && resource === 'horizontalpodautoscalers')
    const before = writes().length
    await clock.advance(2 * perMinute)
    expect(writes().length).toBe(before)
  })

  test('says what it lacks, and leaves the size alone', async () => {
    await api.create(deployments, { ...deployment({ replicas: 3 }), status: {} })
    await runPods(3)
    await autoscale()
    await clock.advance(100)
    expect(replicas()).toBe(3)
    expect(conditions()).toEqual(['AbleToScale=True SucceededGetScale', 'ScalingActive=False FailedGetResourceMetric'])
    const why =
      'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource'
    expect(lastNotes()).toEqual([
      `Warning FailedGetResourceMetric: ${why}`,
      `Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
    ])
    // It is asked again, and then there is an answer.
    usage(900)
    await clock.advance(sync)
    expect(replicas()).toBe(6)
  })
})

describe('the target', () => {
  test('is brought within bounds whatever the metrics say', async () => {
    await api.create(deployments, { ...deployment({ replicas: 20 }), status: {} })
    await autoscale({ minReplicas: 3 })
    await clock.advance(100)
    expect(replicas()).toBe(10)
    api.edit(deployments, { namespace: 'default', name: 'web' }, ({ spec }) => {
      spec!.replicas = 1
    })
    await clock.advance(sync)
    expect(replicas()).toBe(3)
    expect(lastNotes()).toEqual([
      'Normal SuccessfulRescale: New size: 10; reason: Current number of replicas above Spec.MaxReplicas',
      'Normal SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas',
    ])
  })

  test('is left alone at zero', async () => {
    await api.create(deployments, { ...deployment({ replicas: 0 }), status: {} })
    await autoscale()
    await clock.advance(perMinute)
    expect(replicas()).toBe(0)
    expect(conditions()).toEqual(['AbleToScale=True SucceededGetScale', 'ScalingActive=False ScalingDisabled'])
  })

  test('that is not there is told, and found when it comes', async () => {
    await autoscale()
    await clock.advance(100)
    expect(conditions()).toEqual(['AbleToScale=False FailedGetScale'])
    expect(lastNotes()).toEqual(['Warning FailedGetScale: deployments.apps "web" not found'])
    await api.create(deployments, { ...deployment({ replicas: 12 }), status: {} })
    await clock.advance(sync)
    expect(replicas()).toBe(10)
  })

  test('of an unknown kind is told', async () => {
    await autoscale({ scaleTargetRef: { apiVersion: 'example.com/v1', kind: 'Widget', name: 'w' } })
    await clock.advance(100)
    expect(lastNotes()).toEqual(['Warning FailedGetScale: no matches for kind "Widget" in group "example.com"'])
  })

  test('that others write to is written again', async () => {
    await api.create(deployments, { ...deployment({ replicas: 20 }), status: {} })
    let conflicts = 2
    api.fault = ({ verb, subresource }) => {
      if (verb !== 'update' || subresource !== 'scale' || conflicts-- <= 0) return
      api.edit(deployments, { namespace: 'default', name: 'web' }, ({ metadata }) => {
        metadata.labels = { touched: String(conflicts) }
      })
    }
    await autoscale()
    await clock.advance(100)
    expect(replicas()).toBe(10)
  })

  test('that refuses is told', async () => {
    await api.create(deployments, { ...deployment({ replicas: 20 }), status: {} })
    api.fault = ({ verb, subresource }) => {
      if (verb === 'update' && subresource === 'scale') throw new StatusError(403, 'Forbidden', 'not today')
    }
    await autoscale()
    await clock.advance(100)
    expect(replicas()).toBe(20)
    expect(conditions()).toEqual(['AbleToScale=False FailedUpdateScale'])
    expect(api.calls.filter(({ verb, subresource }) => verb === 'update' && subresource === 'scale')).toHaveLength(1)
    expect(lastNotes()).toEqual([
      'Warning FailedRescale: New size: 10; reason: Current number of replicas above Spec.MaxReplicas; error: not today',
    ])
  })

  test('of two autoscalers is scaled by neither', async () => {
    await api.create(deployments, { ...deployment({ replicas: 1 }), status: {} })
    await runPods(1)
    usage(500)
    await autoscale()
    await autoscale({}, 'other')
    await clock.advance(sync)
    usage(900)
    await clock.advance(sync)
    expect(replicas()).toBe(1)
    expect(conditions()).toContain('ScalingActive=False AmbiguousSelector')
    const what = 'pods by selector app=web are controlled by multiple HPAs: [default/web default/other]'
    expect(lastNotes()).toContain(`Warning AmbiguousSelector: ${what}`)
    // One of them goes, and the other goes on.
    await api.delete(horizontalPodAutoscalers, { namespace: 'default', name: 'other' })
    await clock.advance(sync)
    expect(replicas()).toBe(2)
  })
})

test('an autoscaler puts its target to sleep, and wakes it up', async () => {
  await api.create(deployments, { ...deployment({ replicas: 2 }), status: {} })
  await runPods(2)
  queued(0)
  await autoscale({
    minReplicas: 0,
    metrics: [byQueue],
    behavior: {
      scaleUp: { policies: [{ type: 'Pods', value: 9, periodSeconds: 15 }] },
      scaleDown: {
        stabilizationWindowSeconds: 0,
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      },
    },
  })
  await clock.advance(100)
  expect(replicas()).toBe(0)
  expect(conditions()).toContain('ScaledToZero=True ScaledToZero')
  await runPods(0)
  await clock.advance(sync)
  expect(replicas()).toBe(0)
  queued(25)
  await clock.advance(sync)
  expect(replicas()).toBe(3)
  expect(conditions()).toContain('ScaledToZero=False NotScaledToZero')
})

test('another spec is looked at before its turn', async () => {
  await api.create(deployments, { ...deployment({ replicas: 5 }), status: {} })
  await runPods(5)
  usage(500)
  await autoscale()
  await clock.advance(100)
  api.edit(horizontalPodAutoscalers, { namespace: 'default', name: 'web' }, ({ spec }) => {
    spec.maxReplicas = 4
  })
  await clock.advance(100)
  expect(replicas()).toBe(4)
})
