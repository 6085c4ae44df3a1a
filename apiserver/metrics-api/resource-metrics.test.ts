import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, runServer } from '../testing/running-server.ts'

const metrics = '/apis/metrics.k8s.io/v1beta1'
let server: RunningServer
let agent: { port: number; asked: string[]; stop: () => void }

beforeAll(async () => {
  server = await runServer()
  agent = await startAgent(join(server.directory, 'data/pki'))
  const node = async (name: string, ready: 'True' | 'Unknown') => {
    await server.create('/api/v1/nodes', { metadata: { name, labels: { zone: name } } })
    await server.patch(`/api/v1/nodes/${name}/status`, {
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: agent.port } },
        conditions: [{ type: 'Ready', status: ready, reason: 'x', message: '', lastHeartbeatTime: null }],
      },
    })
  }
  await node('n1', 'True')
  await node('lost', 'Unknown')
  const pod = (name: string, nodeName: string) =>
    server.create('/api/v1/namespaces/default/pods', {
      metadata: { name, labels: { app: name } },
      spec: { nodeName, containers: [{ name: 'main', image: 'app' }] },
    })
  await pod('web', 'n1')
  await pod('starting', 'n1')
  await pod('gone', 'lost')
})
afterAll(async () => {
  agent?.stop()
  await server?.stop()
})

describe('metrics.k8s.io', () => {
  it('tells what nodes use that are well', async () => {
    const { code, body } = await server.get(`${metrics}/nodes`)
    expect([code, body.kind, body.apiVersion]).toEqual([200, 'NodeMetricsList', 'metrics.k8s.io/v1beta1'])
    expect(body.items).toMatchObject([
      { metadata: { name: 'n1', labels: { zone: 'n1' } }, usage: { cpu: '500m', memory: '2Mi' } },
    ])
    expect((await server.get(`${metrics}/nodes/n1`)).body).toMatchObject({
      kind: 'NodeMetrics',
      usage: { cpu: '500m' },
    })
    const lost = await server.get(`${metrics}/nodes/lost`)
    expect([lost.code, lost.body.message]).toEqual([404, 'nodemetrics.metrics.k8s.io "lost" not found'])
  })

  it('tells what pods use of which something is known', async () => {
    const { body } = await server.get(`${metrics}/pods`)
    expect(body).toMatchObject({ kind: 'PodMetricsList' })
    expect(body.items).toMatchObject([
      {
        kind: 'PodMetrics',
        metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
        containers: [{ name: 'main', usage: { cpu: '250m', memory: '1Ki' } }],
      },
    ])
    expect(body.items[0].window).toMatch(/^[\d.]+s$/)
    const starting = await server.get(`${metrics}/namespaces/default/pods/starting`)
    expect([starting.code, starting.body.message]).toEqual([
      404,
      'podmetrics.metrics.k8s.io "default/starting" not found',
    ])
  })

  it('is chosen from by labels, fields and namespace', async () => {
    const names = async (path: string) =>
      (await server.get(`${metrics}/${path}`)).body.items.map(
        (item: { metadata: { name: string } }) => item.metadata.name,
      )
    expect(await names('namespaces/default/pods?labelSelector=app%3Dweb')).toEqual(['web'])
    expect(await names('namespaces/default/pods?labelSelector=app%3Dother')).toEqual([])
    expect(await names('pods?fieldSelector=metadata.name%3Dweb')).toEqual(['web'])
    expect(await names('namespaces/kube-system/pods')).toEqual([])
    expect(await names('nodes?labelSelector=zone%21%3Dn1')).toEqual([])
  })

  it('asks the agents no more often than it must', async () => {
    await server.get(`${metrics}/nodes`)
    agent.asked.length = 0
    await Promise.all([
      server.get(`${metrics}/nodes`),
      server.get(`${metrics}/pods`),
      server.get(`${metrics}/nodes/n1`),
    ])
    expect(agent.asked.length).toBeLessThanOrEqual(1)
  })

  it('is shown as a table, and in discovery and OpenAPI', async () => {
    const table = await server.get(`${metrics}/nodes`, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    })
    expect(table.body.rows[0].cells.slice(0, 3)).toEqual(['n1', '500m', '2Mi'])
    const { body } = await server.get(metrics)
    expect(body.resources).toMatchObject([
      { name: 'nodes', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
      { name: 'pods', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
    ])
    const openapi = await server.get('/openapi/v3/apis/metrics.k8s.io/v1beta1')
    expect(Object.keys(openapi.body.components.schemas)).toContain('io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics')
  })

  it('may not be watched, and not be read by anybody', async () => {
    expect((await server.get(`${metrics}/pods?watch=true`)).code).toBe(405)
    expect((await server.create(`${metrics}/nodes`, {})).code).toBe(405)
    expect((await server.get(`${metrics}/nodes`, { as: server.nobody })).code).toBe(403)
  })

  it('steps back when a service is registered for it', async () => {
    const apiServices = '/apis/apiregistration.k8s.io/v1/apiservices'
    await server.create(apiServices, {
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'metrics-server', namespace: 'kube-system' },
      },
    })
    const { code, body } = await server.get(`${metrics}/nodes`)
    expect([code, body.message]).toEqual([503, expect.stringContaining('the service kube-system/metrics-server')])
    await server.remove(`${apiServices}/v1beta1.metrics.k8s.io`)
    expect((await server.get(`${metrics}/nodes`)).code).toBe(200)
  })
})

it('may be turned off', async () => {
  const other = await runServer(['--resource-metrics=false'])
  try {
    expect((await other.get(`${metrics}/nodes`)).code).toBe(404)
    expect((await other.get(metrics)).code).toBe(404)
  } finally {
    await other.stop()
  }
})

/** Stands for a node agent of a node that has half a core to do, a quarter of it in the pod `web`. */
async function startAgent(pki: string): Promise<{ port: number; asked: string[]; stop: () => void }> {
  const read = (file: string) => readFileSync(join(pki, file))
  const asked: string[] = []
  const startMs = Date.now()
  const made = createServer(
    {
      cert: read('apiserver.crt'),
      key: read('apiserver.key'),
      ca: read('ca.crt'),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (req, res) => {
      asked.push(req.url ?? '')
      const ms = Date.now()
      const seconds = (ms - startMs) / 1000
      const labels = '{container="main",namespace="default",pod="web"}'
      res.end(`node_cpu_usage_seconds_total ${seconds / 2} ${ms}
node_memory_working_set_bytes 2097152 ${ms}
container_cpu_usage_seconds_total${labels} ${seconds / 4} ${ms}
container_memory_working_set_bytes${labels} 1024 ${ms}
`)
    },
  )
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  const stop = () => {
    made.close()
    made.closeAllConnections()
  }
  return { port: (made.address() as AddressInfo).port, asked, stop }
}
