import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { type EtcdCluster, startEtcd } from '../support/etcd.ts'
import { startServer, type TestServer } from '../support/server.ts'

const example = fileURLToPath(new URL('../../manifests/examples/custom-resource.yaml', import.meta.url))
const cache = (name: string, spec: object) => ({
  apiVersion: 'example.com/v1',
  kind: 'Cache',
  metadata: { name },
  spec,
})
const applyTo = async ({ kubectl }: TestServer, object: object, flags = '') =>
  kubectl(['apply', ...(flags ? flags.split(' ') : []), '-f', '-'], { input: stringify(object) })

describe('a kind of one’s own, with stock kubectl', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
    await server.kubectl(['apply', '-f', example])
    await server.kubectl('wait --for=condition=Established crd/caches.example.com')
  })
  afterAll(() => server?.stop())

  test('is applied, shown in its columns, explained, chosen by its fields and scaled', async () => {
    await applyTo(server, cache('pages', { size: '64Mi' }))
    expect((await applyTo(server, cache('pages', { size: '64Mi' }))).stdout).toContain('unchanged')
    expect((await server.kubectl('get ca')).stdout).toMatch(/NAME +SIZE +READY +AGE\npages +64Mi +\S*/)
    expect((await server.kubectl('explain cache.spec.size')).stdout).toContain('How much it remembers')
    const cold = await server.kubectl('get caches --field-selector spec.tier=cold -o name')
    expect(cold.stdout).toBe('')
    await server.kubectl('scale cache/pages --replicas=3')
    expect((await server.kubectl('get ca pages -o jsonpath={.spec.replicas}')).stdout).toBe('3')
  })

  test('is refused where it does not fit', async () => {
    const apply = (spec: object) =>
      server.kubectl(['create', '-f', '-'], { input: stringify(cache('bad', spec)), expectFailure: true })
    expect((await apply({ size: 'much' })).stderr).toContain("spec.size in body should match '^\\d+(Mi|Gi)$'")
    expect((await apply({ size: '1Gi', odd: 1 })).stderr).toContain('unknown field "spec.odd"')
  })

  test('has owners of its fields', async () => {
    await applyTo(server, cache('owned', { size: '1Mi', zones: ['a'] }), '--server-side --field-manager=one')
    await applyTo(server, cache('owned', { size: '1Mi', zones: ['b'] }), '--server-side --field-manager=two')
    expect((await server.kubectl('get ca owned -o jsonpath={.spec.zones}')).stdout).toBe('["a","b"]')
    const conflict = await server.kubectl('apply --server-side --field-manager=two -f -', {
      input: stringify(cache('owned', { size: '2Mi' })),
      expectFailure: true,
    })
    expect(conflict.stderr).toContain('conflict with "one": .spec.size')
  })

  test('is there after a restart, at once', async () => {
    await server.restart()
    expect((await server.kubectl('get cache pages -o jsonpath={.spec.size}')).stdout).toBe('64Mi')
  })

  test('comes with a chart', async () => {
    const chart = join(server.directory, 'chart')
    for (const folder of ['crds', 'templates']) mkdirSync(join(chart, folder), { recursive: true })
    const names = { plural: 'toys', kind: 'Toy' }
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: {} } } } }
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'toys.chart.example.com' },
      spec: {
        group: 'chart.example.com',
        scope: 'Namespaced',
        names,
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    }
    writeFileSync(join(chart, 'Chart.yaml'), stringify({ apiVersion: 'v2', name: 'toys', version: '1.0.0' }))
    writeFileSync(join(chart, 'crds/toys.yaml'), stringify(definition))
    const toy = { apiVersion: 'chart.example.com/v1', kind: 'Toy', metadata: { name: 'bear' }, spec: {} }
    writeFileSync(join(chart, 'templates/toy.yaml'), stringify(toy))
    await server.helm(['install', 'toys', chart])
    expect((await server.kubectl('get toys -o name')).stdout).toBe('toy.chart.example.com/bear\n')
  })

  test('goes with its definition', async () => {
    await server.kubectl(['delete', '-f', example, '--timeout=20s'])
    const { stderr } = await server.kubectl('get caches', { expectFailure: true })
    // What it says depends on whether it still remembers the kind.
    expect(stderr).toMatch(/could not find the requested resource|doesn't have a resource type/)
  })
})

describe('a kind that one of two servers was told of', () => {
  let etcd: EtcdCluster
  let servers: TestServer[]
  beforeAll(async () => {
    etcd = await startEtcd()
    servers = []
    for (let i = 0; i < 2; i++) servers.push(await startServer({ etcd: etcd.endpoints }))
  })
  afterAll(async () => {
    await Promise.all((servers ?? []).map((server) => server.stop()))
    await etcd?.stop()
  })

  test('is served by the other as soon as it is established', async () => {
    const [one, other] = servers as [TestServer, TestServer]
    await one.kubectl(['apply', '-f', example])
    await one.kubectl('wait --for=condition=Established crd/caches.example.com')
    await applyTo(other, cache('pages', { size: '64Mi' }))
    expect((await one.kubectl('get cache pages -o jsonpath={.spec.replicas}')).stdout).toBe('1')
  })
})
