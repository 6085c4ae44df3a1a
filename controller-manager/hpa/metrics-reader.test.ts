import { beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { newKinds } from './kinds.ts'
import { type MetricsReader, newMetricsReader } from './metrics-reader.ts'

const at = { namespace: 'ns', selector: 'app=web' }
const { signal } = new AbortController()
let api: MemoryApi
let reader: MetricsReader
let asked: Record<string, string>

beforeEach(() => {
  api = new MemoryApi()
  asked = {}
  reader = newMetricsReader(api, newKinds(api, new FakeClock()))
})

function answer(path: string, items: object[]): void {
  api.paths.set(path, (query) => {
    asked = query
    return { items }
  })
}

const podMetrics = (name: string, ...containers: [name: string, usage: Record<string, string>][]) => ({
  metadata: { name },
  timestamp: '2026-01-01T00:00:10Z',
  window: '12.5s',
  containers: containers.map(([container, usage]) => ({ name: container, usage })),
})

test('a resource is summed over the containers of a pod, or read of one', async () => {
  answer('/apis/metrics.k8s.io/v1beta1/namespaces/ns/pods', [
    podMetrics('a', ['c', { cpu: '100m', memory: '1Ki' }], ['d', { cpu: '50m' }]),
    podMetrics('b', ['c', { cpu: '1' }]),
    podMetrics('nobody'),
  ])
  const sample = (milli: number) => ({ milli, timestampMs: Date.parse('2026-01-01T00:00:10Z'), windowMs: 12_500 })
  expect([...(await reader.resource(at, 'cpu', undefined, signal))]).toEqual([
    ['a', sample(150)],
    ['b', sample(1000)],
  ])
  expect(asked).toEqual({ labelSelector: 'app=web' })
  // Of the second container of a nothing is known.
  expect([...(await reader.resource(at, 'memory', undefined, signal))]).toEqual([])
  expect([...(await reader.resource(at, 'cpu', 'd', signal))]).toEqual([['a', sample(50)]])
})

test('a metric of pods comes with the selectors of pods and series', async () => {
  answer('/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/*/hits', [
    { describedObject: { name: 'a' }, timestamp: '2026-01-01T00:00:10Z', windowSeconds: 30, value: '2500m' },
    { describedObject: { name: 'b' }, timestamp: '2026-01-01T00:00:10Z', value: '3' },
  ])
  const metric = { name: 'hits', selector: { matchLabels: { code: '200' } } }
  expect([...(await reader.pods(at, metric, signal))]).toMatchObject([
    ['a', { milli: 2500, windowMs: 30_000 }],
    ['b', { milli: 3000, windowMs: 60_000 }],
  ])
  expect(asked).toEqual({ labelSelector: 'app=web', metricLabelSelector: 'code=200' })
})

test('a metric of an object is found by its kind; a namespace is the own one', async () => {
  const custom = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns'
  answer(`${custom}/ingresses.networking.k8s.io/door/hits`, [{ value: '7' }])
  answer(`${custom}/metrics/hits`, [{ value: '8' }])
  answer(`${custom}/services/web/hits`, [{ value: '1' }, { value: '2' }])
  const of = (apiVersion: string, kind: string, name: string) =>
    reader.object('ns', { apiVersion, kind, name }, { name: 'hits' }, signal)
  expect(await of('networking.k8s.io/v1', 'Ingress', 'door')).toBe(7000)
  expect(await of('v1', 'Namespace', 'other')).toBe(8000)
  await expect(of('v1', 'Service', 'web')).rejects.toThrow('returned 2 results when we asked for exactly one')
})

test('an external metric is the sum of its series', async () => {
  answer('/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/queue', [{ value: '1500m' }, { value: '2' }])
  expect(await reader.external('ns', { name: 'queue' }, signal)).toBe(3500)
  answer('/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/queue', [])
  await expect(reader.external('ns', { name: 'queue' }, signal)).rejects.toThrow(
    'no metrics returned from external metrics API',
  )
})
