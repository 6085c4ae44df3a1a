import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RunningServer, runServer } from '../testing/running-server.ts'

const rules = `
metrics:
  - { name: hits, kind: pods, query: 'hits{<<labels>>}', windowSeconds: 30 }
  - { name: hits, kind: object, resource: services, query: 'service_hits{<<labels>>}' }
  - { name: load, kind: object, resource: namespaces, query: 'load{<<labels>>}' }
  - { name: heat, kind: object, resource: nodes, query: 'heat{<<labels>>}' }
  - { name: queue, kind: external, query: 'queue{<<labels>>}' }
`
const custom = '/apis/custom.metrics.k8s.io/v1beta2'
const external = '/apis/external.metrics.k8s.io/v1beta1'

let server: RunningServer
let stopPrometheus: () => void
/** What it was asked, and what it answers. */
let queries: string[]
let answer: () => [code: number, body: object | string]

const vector = (...series: [labels: Record<string, string>, value: string][]): [number, object] => [
  200,
  {
    status: 'success',
    data: { resultType: 'vector', result: series.map(([metric, value]) => ({ metric, value: [1767225600, value] })) },
  },
]

beforeAll(async () => {
  const prometheus = createServer((req, res) => {
    let body = ''
    req.on('data', (chunk) => {
      body += chunk
    })
    req.on('end', () => {
      queries.push(new URLSearchParams(body).get('query') ?? '')
      const [code, sent] = answer()
      res.writeHead(code).end(typeof sent === 'string' ? sent : JSON.stringify(sent))
    })
  })
  await new Promise<void>((resolve) => prometheus.listen(0, '127.0.0.1', resolve))
  stopPrometheus = () => {
    prometheus.close()
    prometheus.closeAllConnections()
  }
  const { port } = prometheus.address() as AddressInfo
  server = await runServer([], (directory) => {
    const file = join(directory, 'rules.yaml')
    writeFileSync(file, rules)
    return [`--prometheus-url=http://127.0.0.1:${port}`, `--metrics-rules=${file}`]
  })
  for (const [name, app] of [
    ['a', 'web'],
    ['b', 'web'],
    ['c', 'other'],
  ]) {
    await server.create('/api/v1/namespaces/default/pods', {
      metadata: { name, labels: { app } },
      spec: { containers: [{ name: 'main', image: 'app' }] },
    })
  }
})
afterAll(async () => {
  stopPrometheus?.()
  await server?.stop()
})
beforeEach(() => {
  queries = []
  answer = () => vector()
})

describe('custom.metrics.k8s.io', () => {
  it('tells a metric of the pods that a selector selects', async () => {
    answer = () => vector([{ __name__: 'hits', pod: 'a' }, '2.5'], [{ pod: 'b' }, 'NaN'])
    const path = `${custom}/namespaces/default/pods/*/hits?labelSelector=app%3Dweb&metricLabelSelector=code%3D200`
    const { code, body } = await server.get(path)
    expect(queries).toEqual(['hits{namespace="default",pod=~"a|b",code="200"}'])
    const item = (name: string, value: string) => ({
      describedObject: { kind: 'Pod', namespace: 'default', name, apiVersion: 'v1' },
      metric: { name: 'hits' },
      timestamp: '2026-01-01T00:00:00Z',
      windowSeconds: 30,
      value,
    })
    expect([code, body]).toEqual([
      200,
      {
        kind: 'MetricValueList',
        apiVersion: 'custom.metrics.k8s.io/v1beta2',
        metadata: {},
        items: [item('a', '2500m'), item('b', '0')],
      },
    ])
  })

  it('asks nothing for no pods', async () => {
    const { body } = await server.get(`${custom}/namespaces/default/pods/*/hits?labelSelector=app%3Dnone`)
    expect([body.items, queries]).toEqual([[], []])
  })

  it.each([
    ['a service', 'namespaces/default/services/web/hits', 'service_hits{namespace="default",service="web"}', 'Service'],
    ['a namespace', 'namespaces/default/metrics/load', 'load{namespace="default"}', 'Namespace'],
    ['a node', 'nodes/n1/heat', 'heat{node="n1"}', 'Node'],
  ])('tells a metric of %s', async (_, path, query, kind) => {
    answer = () => vector([{}, '7'])
    const { body } = await server.get(`${custom}/${path}`)
    expect(queries).toEqual([query])
    expect(body.items).toMatchObject([{ describedObject: { kind }, value: '7' }])
  })

  it('speaks its older version too', async () => {
    answer = () => vector([{}, '7'])
    const { body } = await server.get('/apis/custom.metrics.k8s.io/v1beta1/namespaces/default/pods/a/hits')
    expect(body.items).toMatchObject([{ metricName: 'hits', window: 30, value: '7' }])
  })

  it('refuses what it cannot tell', async () => {
    const refusal = async (path: string) => {
      const { code, body } = await server.get(`${custom}/${path}`)
      return [code, body.message]
    }
    expect(await refusal('namespaces/default/pods/a/unknown')).toEqual([
      404,
      'the server could not find the metric unknown for pods',
    ])
    expect(await refusal('namespaces/default/services/web/hits')).toEqual([
      404,
      'the server could not find the metric hits for services web',
    ])
    answer = () => vector([{ shard: '1' }, '1'], [{ shard: '2' }, '2'])
    expect((await refusal('namespaces/default/services/web/hits'))[0]).toBe(400)
    expect((await refusal('namespaces/default/pods/*/hits?metricLabelSelector=a.b%3Dc'))[0]).toBe(400)
    expect((await server.create(`${custom}/namespaces/default/pods/a/hits`, {})).code).toBe(405)
  })

  it('is kept from those who may not read it', async () => {
    const { code } = await server.get(`${custom}/namespaces/default/pods/*/hits`, { as: server.nobody })
    expect([code, queries]).toEqual([403, []])
  })
})

describe('external.metrics.k8s.io', () => {
  it('tells every series that a selector selects', async () => {
    answer = () => vector([{ __name__: 'queue', of: 'orders' }, '12'], [{ of: 'mails' }, '1e3'])
    const { body } = await server.get(
      `${external}/namespaces/default/queue?labelSelector=of%20in%20%28orders%2Cmails%29`,
    )
    expect(queries).toEqual(['queue{of=~"mails|orders"}'])
    expect(body).toEqual({
      kind: 'ExternalMetricValueList',
      apiVersion: 'external.metrics.k8s.io/v1beta1',
      metadata: {},
      items: [
        { metricName: 'queue', metricLabels: { of: 'orders' }, timestamp: '2026-01-01T00:00:00Z', value: '12' },
        { metricName: 'queue', metricLabels: { of: 'mails' }, timestamp: '2026-01-01T00:00:00Z', value: '1k' },
      ],
    })
  })

  it('says what is wrong with Prometheus', async () => {
    const said = async () => {
      const { code, body } = await server.get(`${external}/namespaces/default/queue`)
      return [code, body.message]
    }
    answer = () => [400, { status: 'error', errorType: 'bad_data', error: 'parse error' }]
    expect(await said()).toEqual([500, expect.stringContaining('Prometheus refuses the query queue{}: parse error')])
    answer = () => [502, 'bad gateway']
    expect(await said()).toEqual([503, expect.stringContaining('it answered 502')])
    answer = () => [200, { status: 'success', data: { resultType: 'matrix', result: [] } }]
    expect(await said()).toEqual([500, expect.stringContaining('must come to a vector or a scalar')])
    answer = () => [200, { status: 'success', data: { resultType: 'scalar', result: [1767225600, '4'] } }]
    expect((await server.get(`${external}/namespaces/default/queue`)).body.items).toMatchObject([{ value: '4' }])
  })
})

describe('discovery', () => {
  it('shows the metrics there are, in all its forms', async () => {
    expect((await server.get(custom)).body.resources).toEqual(
      ['namespaces/load', 'nodes/heat', 'pods/hits', 'services/hits'].map((name) => ({
        name,
        singularName: '',
        namespaced: name.startsWith('pods') || name.startsWith('services'),
        kind: 'MetricValueList',
        verbs: ['get'],
      })),
    )
    const { body } = await server.get('/apis')
    const names = body.groups.map(({ name }: { name: string }) => name)
    expect(names).toEqual(expect.arrayContaining(['custom.metrics.k8s.io', 'external.metrics.k8s.io']))
    expect((await server.get('/apis/custom.metrics.k8s.io')).body.preferredVersion.version).toBe('v1beta2')
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const aggregated = await server.get('/apis', { headers: { accept } })
    const found = aggregated.body.items.find(
      (item: { metadata: { name: string } }) => item.metadata.name === 'external.metrics.k8s.io',
    )
    expect(found.versions).toMatchObject([
      { version: 'v1beta1', resources: [{ resource: 'queue', responseKind: { kind: 'ExternalMetricValueList' } }] },
    ])
  })

  it('shows no groups where there is no Prometheus', async () => {
    const plain = await runServer()
    try {
      expect((await plain.get(custom)).code).toBe(404)
      expect((await plain.get(`${external}/namespaces/default/queue`)).code).toBe(404)
    } finally {
      await plain.stop()
    }
  })
})
