import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { notFoundError } from '../../api/machinery/errors.ts'
import { type Serving, serve } from '../testing/serving.ts'

let server: Serving

beforeEach(async () => {
  server = await serve()
  for (const namespace of ['kube-system', 'shop', 'other']) {
    const metadata = { name: `web-${namespace}`, namespace }
    const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}`
    server.objects.set(`/api/v1/namespaces/${namespace}`, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    })
    server.objects.set(path, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { initContainers: [{ name: 'first' }], containers: [{ name: 'app' }] },
    })
    server.answers.set(`${path}/log`, ({ query }) => {
      if (query.container === 'first') throw notFoundError({ group: '', resource: 'logs' }, 'first')
      return `${metadata.name} says hello\n`
    })
  }
})
afterEach(() => server.stop())

test('nodes, and of the namespace in use and kube-system all that tells what is wrong', async () => {
  const { code, out } = await server.gantry('cluster-info dump -n shop')
  expect(code).toBe(0)
  const ofOne = ['Event', 'ReplicationController', 'Service', 'DaemonSet', 'Deployment', 'ReplicaSet', 'Pod']
  expect(Array.from(out.matchAll(/"kind": "(\w+)List"/g), ([, kind]) => kind)).toEqual(['Node', ...ofOne, ...ofOne])
  expect(out).toContain(
    '==== START logs for container app of pod shop/web-shop ====\nweb-shop says hello\n==== END logs for container app of pod shop/web-shop ====\n',
  )
  expect(out).toContain('Request log error: logs "first" not found\n')
  expect(out).not.toContain('web-other')
})

test('into a directory, of the namespaces that are named or of all', async () => {
  const into = (name: string) => join(server.directory, name)
  const told = await server.gantry(`cluster-info dump --namespaces=shop -o yaml --output-directory=${into('one')}`)
  expect(told.out).toBe(`Cluster info dumped to ${into('one')}\n`)
  expect(readdirSync(into('one')).sort()).toEqual(['nodes.yaml', 'shop'])
  expect(readdirSync(into('one/shop')).sort()).toEqual([
    'daemonsets.yaml',
    'deployments.yaml',
    'events.yaml',
    'pods.yaml',
    'replicasets.yaml',
    'replication-controllers.yaml',
    'services.yaml',
    'web-shop',
  ])
  expect(readFileSync(into('one/shop/web-shop/logs.txt'), 'utf8')).toMatch(/START.* first [\s\S]*END.* app /)
  await server.gantry(`cluster-info dump -A --output-directory=${into('all')}`)
  expect(readdirSync(into('all')).sort()).toEqual(['kube-system', 'nodes.json', 'other', 'shop'])
})
