import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, runServer } from '../testing/running-server.ts'

const path = '/apis/gantry.dev/v1/namespaces/default/keptlogs'
const future = new Date(Date.now() + 60_000).toISOString()
let server: RunningServer
let agent: { port: number; stop: () => void }

beforeAll(async () => {
  server = await runServer([], (directory) => {
    writeFileSync(join(directory, 'tokens.csv'), 'secret,alice,1\n')
    return [`--token-auth-file=${join(directory, 'tokens.csv')}`]
  })
  agent = await startAgent(join(server.directory, 'data/pki'))
  const node = async (name: string, port: number, ready: 'True' | 'Unknown' = 'True') => {
    await server.create('/api/v1/nodes', { metadata: { name } })
    await server.patch(`/api/v1/nodes/${name}/status`, {
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
        conditions: [{ type: 'Ready', status: ready, reason: 'x', message: '', lastHeartbeatTime: null }],
      },
    })
  }
  await node('n1', agent.port)
  await node('mute', 1)
  await node('lost', 2, 'Unknown')
})
afterAll(async () => {
  agent?.stop()
  await server?.stop()
})

describe('the logs of deleted pods', () => {
  it('are listed from all nodes that are well, and one that does not answer is named', async () => {
    const { code, body, headers } = await server.get(path)
    expect(code).toBe(200)
    // What an earlier namespace of that name left behind is not shown.
    expect(body.items.map((item: { metadata: { uid: string } }) => item.metadata.uid)).toEqual(['u2', 'u1', 'u3'])
    expect(body.items[0]).toMatchObject({ node: 'n1', containers: ['a', 'b'], owners: [{ kind: 'ReplicaSet' }] })
    expect(headers.warning).toContain('node mute does not tell what it keeps')
    expect(headers.warning).not.toContain('lost')
  })

  it('are listed of all namespaces to who may read logs in all', async () => {
    const all = '/apis/gantry.dev/v1/keptlogs'
    const { code, body } = await server.get(all)
    expect([code, body.items.length]).toEqual([200, 4])
    expect((await server.get(all, { as: server.nobody })).code).toBe(403)
  })

  it('are found by whose the pods were', async () => {
    const names = async (owner: string) =>
      (await server.get(`${path}?owner=${owner}`)).body.items.map(
        ({ metadata }: { metadata: { name: string } }) => metadata.name,
      )
    expect(await names('Deployment/web')).toEqual(['web-5d-x', 'web-5d-x'])
    expect(await names('StatefulSet/db')).toEqual(['db-0'])
    expect((await server.get(`${path}?owner=web`)).code).toBe(400)
  })

  it('are read from the node that has them: of several of one name, the last', async () => {
    expect((await server.get(`${path}/db-0?tailLines=3`)).text).toBe('/keptLogs/default/u3/main?tailLines=3')
    expect((await server.get(`${path}/web-5d-x?container=a`)).text).toBe('/keptLogs/default/u2/a')
    expect((await server.get(`${path}/web-5d-x?container=b&uid=u1&previous=true`)).text).toBe(
      '/keptLogs/default/u1/b?previous=true',
    )
    const which = await server.get(`${path}/web-5d-x`)
    expect([which.code, which.body.message]).toEqual([400, expect.stringContaining('choose one of: [a b]')])
    const none = await server.get(`${path}/nobody`)
    expect([none.code, none.body.reason]).toEqual([404, 'NotFound'])
    const gone = await server.get(`${path}/db-0?container=other`)
    expect([gone.code, gone.body.message]).toEqual([404, expect.stringContaining('no log of other')])
  })

  it('are for those who may read logs of pods', async () => {
    const alice = { as: server.nobody, headers: { authorization: 'Bearer secret' } }
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
    const allow = (name: string, rules: object[]) =>
      Promise.all([
        server.create(`${rbac}/roles`, { metadata: { name }, rules }),
        server.create(`${rbac}/rolebindings`, {
          metadata: { name },
          subjects: [{ kind: 'User', name: 'alice', apiGroup: 'rbac.authorization.k8s.io' }],
          roleRef: { kind: 'Role', name, apiGroup: 'rbac.authorization.k8s.io' },
        }),
      ])
    await allow('kept', [{ apiGroups: ['gantry.dev'], resources: ['keptlogs'], verbs: ['get', 'list'] }])
    const refused = await server.get(path, alice)
    expect([refused.code, refused.body.message]).toEqual([403, expect.stringContaining('"pods/log"')])
    await allow('logs', [{ apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }])
    expect((await server.get(path, alice)).code).toBe(200)
  })
})

/** Stands for a node agent that keeps logs; one of a pod is the path by which it was asked for. */
async function startAgent(pki: string): Promise<{ port: number; stop: () => void }> {
  const read = (file: string) => readFileSync(join(pki, file))
  const pod = (uid: string, name: string, deletedAt: string, more: object = {}) => ({
    namespace: 'default',
    name,
    uid,
    labels: { 'pod-template-hash': '5d' },
    owners: [{ kind: 'ReplicaSet', name: 'web-5d' }],
    containers: ['a', 'b'],
    createdAt: future,
    deletedAt,
    until: future,
    bytes: 1,
    ...more,
  })
  const items = [
    pod('u1', 'web-5d-x', '2026-01-01T00:00:01Z'),
    pod('u2', 'web-5d-x', '2026-01-01T00:00:02Z'),
    pod('u3', 'db-0', '2026-01-01T00:00:00Z', { owners: [{ kind: 'StatefulSet', name: 'db' }], containers: ['main'] }),
    pod('u4', 'older', '2026-01-01T00:00:03Z', { createdAt: '2020-01-01T00:00:00Z' }),
  ]
  const made = createServer(
    { cert: read('apiserver.crt'), key: read('apiserver.key'), ca: read('ca.crt'), requestCert: true },
    (req, res) => {
      if (req.url === '/keptLogs/default' || req.url === '/keptLogs') {
        res.end(JSON.stringify({ items }))
      } else if (req.url?.includes('/other')) {
        res.writeHead(404)
        res.end('no log of other')
      } else {
        res.end(req.url)
      }
    },
  )
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return {
    port: (made.address() as AddressInfo).port,
    stop: () => {
      made.closeAllConnections()
      made.close()
    },
  }
}
