import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  Watch,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

let server: TestServer
let config: KubeConfig
let core: CoreV1Api
const namespace = 'default'

beforeAll(async () => {
  server = await startServer()
  config = new KubeConfig()
  config.loadFromFile(server.kubeconfig)
  core = config.makeApiClient(CoreV1Api)
})
afterAll(() => server?.stop())

const settings = (name: string, data: Record<string, string> = {}): V1ConfigMap => ({ metadata: { name }, data })

test('objects are created, listed in pages, read, replaced and deleted', async () => {
  for (const name of ['a', 'b', 'c']) {
    await core.createNamespacedConfigMap({ namespace, body: settings(name, { from: 'client' }) })
  }
  const first = await core.listNamespacedConfigMap({ namespace, limit: 2 })
  expect(first.items).toHaveLength(2)
  const rest = await core.listNamespacedConfigMap({
    namespace,
    limit: 2,
    _continue: first.metadata?._continue as string,
  })
  expect([...first.items, ...rest.items].map((item) => item.metadata?.name)).toEqual(['a', 'b', 'c'])

  const read = await core.readNamespacedConfigMap({ name: 'a', namespace })
  expect(read.metadata?.creationTimestamp).toBeInstanceOf(Date)
  const replaced = await core.replaceNamespacedConfigMap({
    name: 'a',
    namespace,
    body: { ...read, data: { from: 'there' } },
  })
  expect(replaced.data).toEqual({ from: 'there' })
  await expect(core.replaceNamespacedConfigMap({ name: 'a', namespace, body: read })).rejects.toMatchObject({
    code: 409,
  })
  for (const name of ['a', 'b', 'c']) await core.deleteNamespacedConfigMap({ name, namespace })
  await expect(core.readNamespacedConfigMap({ name: 'a', namespace })).rejects.toMatchObject({ code: 404 })
})

test('each kind of patch does its own', async () => {
  const apps = config.makeApiClient(AppsV1Api)
  const labels = { app: 'patched' }
  const containers = [{ name: 'one', image: 'registry.example/one' }]
  await apps.createNamespacedDeployment({
    namespace,
    body: {
      metadata: { name: 'patched' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
    },
  })
  const patch = (body: unknown, strategy: string) =>
    apps.patchNamespacedDeployment({ name: 'patched', namespace, body }, setHeaderOptions('Content-Type', strategy))
  const more = { spec: { template: { spec: { containers: [{ name: 'two', image: 'registry.example/two' }] } } } }
  const strategic = await patch(more, PatchStrategy.StrategicMergePatch)
  expect(strategic.spec?.template.spec?.containers.map(({ name }) => name)).toEqual(['two', 'one'])
  const merged = await patch(more, PatchStrategy.MergePatch)
  expect(merged.spec?.template.spec?.containers.map(({ name }) => name)).toEqual(['two'])
  const json = await patch([{ op: 'replace', path: '/spec/replicas', value: 7 }], PatchStrategy.JsonPatch)
  expect(json.spec?.replicas).toBe(7)

  const objects = KubernetesObjectApi.makeApiClient(config)
  await objects.patch(
    // Its type knows only what every kind has.
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'applied', namespace },
      data: { a: 'b' },
    } as KubernetesObject,
    undefined,
    undefined,
    'client-node',
    true,
    PatchStrategy.ServerSideApply,
  )
  const applied = await core.readNamespacedConfigMap({ name: 'applied', namespace })
  expect(applied.metadata?.managedFields).toMatchObject([{ manager: 'client-node', operation: 'Apply' }])
})

test('a watch sees what happens, in order, and goes on from a version', async () => {
  const { metadata } = await core.listNamespacedConfigMap({ namespace })
  const watch = new Watch(config)
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const events: string[] = []
  const open = (resourceVersion: string | undefined) =>
    watch.watch(
      path,
      { resourceVersion, allowWatchBookmarks: true, fieldSelector: 'metadata.name=seen' },
      (phase, object: V1ConfigMap) => phase !== 'BOOKMARK' && events.push(`${phase} ${object.data?.n ?? ''}`),
      () => {},
    )
  const first = await open(metadata?.resourceVersion)
  const made = await core.createNamespacedConfigMap({ namespace, body: settings('seen', { n: '1' }) })
  await core.replaceNamespacedConfigMap({ name: 'seen', namespace, body: settings('seen', { n: '2' }) })
  await until(() => events.length === 2)
  first.abort()
  await core.deleteNamespacedConfigMap({ name: 'seen', namespace })
  const second = await open(made.metadata?.resourceVersion)
  await until(() => events.length === 4)
  second.abort()
  expect(events).toEqual(['ADDED 1', 'MODIFIED 2', 'MODIFIED 2', 'DELETED 2'])
})

test('an informer keeps its picture of the world through a crash of the server', async () => {
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: 'informed=yes' })
  const informer = makeInformer<V1ConfigMap>(config, path, list, 'informed=yes')
  const known = new Map<string, string>()
  const note = (object: V1ConfigMap) => void known.set(object.metadata?.name ?? '', object.data?.n ?? '')
  informer.on('add', note)
  informer.on('update', note)
  informer.on('delete', (object) => void known.delete(object.metadata?.name ?? ''))
  // It stops at an error and leaves starting again to whoever asked for it.
  let stopped = false
  informer.on('error', () => void setTimeout(() => stopped || void informer.start().catch(() => {}), 200))
  const body = (name: string, n: string): V1ConfigMap => ({
    metadata: { name, labels: { informed: 'yes' } },
    data: { n },
  })

  await core.createNamespacedConfigMap({ namespace, body: body('i1', '1') })
  await informer.start()
  await core.createNamespacedConfigMap({ namespace, body: body('i2', '1') })
  await until(() => known.size === 2, { message: 'both are known' })
  await server.kill9()
  await server.restart()
  await core.replaceNamespacedConfigMap({ name: 'i1', namespace, body: body('i1', '2') })
  await core.deleteNamespacedConfigMap({ name: 'i2', namespace })
  await until(() => known.get('i1') === '2' && !known.has('i2'), { message: 'what changed after the crash is known' })
  stopped = true
  await informer.stop()
})
