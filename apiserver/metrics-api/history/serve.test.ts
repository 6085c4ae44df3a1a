import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningServer, runServer } from '../../testing/running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await runServer([], (directory) => {
    writeFileSync(join(directory, 'tokens.csv'), 'viewer,viewer,1\nnobody,nobody,2\n')
    return [`--token-auth-file=${join(directory, 'tokens.csv')}`]
  })
  await server.create('/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
    metadata: { name: 'viewer' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'viewer' }],
  })
})
afterAll(() => server?.stop())

const as = (token: string) => ({ as: server.nobody, headers: { authorization: `Bearer ${token}` } })

test('who may see everything sees everything', async () => {
  const { code, body } = await server.get('/ui/metrics')
  expect([code, body.denied]).toEqual([200, {}])
  expect(Object.keys(body).sort()).toEqual(['denied', 'nodes', 'pods', 'requests', 'times', 'type'])
})

test('the rights on metrics.k8s.io decide what one sees, and the rest is said', async () => {
  const { body } = await server.get('/ui/metrics?namespace=default', as('viewer'))
  expect(Object.keys(body).sort()).toEqual(['denied', 'pods', 'times', 'type'])
  expect(body.denied.nodes).toContain('User "viewer" cannot list resource "nodes" in API group "metrics.k8s.io"')
  expect(body.denied.requests).toContain('cannot get path "/metrics"')
  const elsewhere = await server.get('/ui/metrics?namespace=kube-system', as('viewer'))
  expect(elsewhere.body.denied.pods).toContain('in the namespace "kube-system"')
})

test('the history of a pod, of a workload and of a moment needs the right on its namespace', async () => {
  const own = await server.get('/ui/metrics?namespace=default&pod=web', as('viewer'))
  expect([own.code, own.body]).toEqual([200, { times: expect.any(Array), cpu: [], memory: [] }])
  for (const query of ['pod=web', 'owner=Deployment/web', 'at=1']) {
    expect((await server.get(`/ui/metrics?namespace=default&${query}`, as('viewer'))).code).toBe(200)
    const other = await server.get(`/ui/metrics?namespace=default&${query}`, as('nobody'))
    expect([other.code, other.body.reason]).toEqual([403, 'Forbidden'])
  }
})

test('with --metrics-history=0 nothing is remembered', async () => {
  const without = await runServer(['--metrics-history=0s'])
  try {
    expect((await without.get('/ui/metrics')).code).toBe(404)
  } finally {
    await without.stop()
  }
})
