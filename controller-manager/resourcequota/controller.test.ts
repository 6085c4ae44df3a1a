import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ConfigMap, Pod, ResourceQuota } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { configMaps, pods, resourceQuotas, secrets } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Api, ResourceRef, WatchOptions } from '../../client/types.ts'
import { depsFor } from '../testing/build.ts'
import { newResourceQuotaController } from './controller.ts'

let clock: FakeClock
let api: MemoryApi
let stop: AbortController
/** Plurals whose watches say nothing. */
let silent: Set<string>

beforeEach(async () => {
  clock = new FakeClock()
  api = new MemoryApi({ clock })
  stop = new AbortController()
  silent = new Set()
  const seen: Api = new Proxy(api, {
    get(target, property) {
      if (property !== 'watch') return Reflect.get(target, property).bind?.(target) ?? Reflect.get(target, property)
      return async function* (ref: ResourceRef, options: WatchOptions) {
        for await (const event of target.watch(ref, options)) if (!silent.has(ref.plural)) yield event
      }
    },
  })
  const informers = new InformerFactory(seen, { clock })
  const { deps } = depsFor(seen, informers, clock)
  const controller = newResourceQuotaController(deps)
  await informers.start(stop.signal)
  runController(controller, { signal: stop.signal }).catch(() => {})
})

afterEach(() => stop.abort())

const quota = (hard: Record<string, string>) =>
  api.create<ResourceQuota>(resourceQuotas, {
    metadata: { name: 'q', namespace: 'default' },
    spec: { hard },
    status: {},
  })
const statusOf = () => api.objects<ResourceQuota>(resourceQuotas)[0]?.status
const map = (name: string) => api.create<ConfigMap>(configMaps, { metadata: { name, namespace: 'default' } })

test('what is there already is counted, and what is deleted is given back', async () => {
  await map('a')
  await map('b')
  await quota({ configmaps: '5', 'count/jobs.batch': '1' })
  await clock.advance(100)
  expect(statusOf()).toEqual({
    hard: { configmaps: '5', 'count/jobs.batch': '1' },
    used: { configmaps: '2', 'count/jobs.batch': '0' },
  })
  await api.delete(configMaps, { namespace: 'default', name: 'a' })
  await clock.advance(100)
  expect(statusOf()?.used).toMatchObject({ configmaps: '1' })
})

test('new limits are taken over, with counts of what they name', async () => {
  const made = await quota({ configmaps: '5' })
  await clock.advance(100)
  await map('a')
  await api.patch(resourceQuotas, made.metadata, {
    type: 'merge',
    body: { spec: { hard: { secrets: '2', configmaps: null } } },
  })
  await clock.advance(100)
  expect(statusOf()).toEqual({ hard: { secrets: '2' }, used: { secrets: '0' } })
})

test('an ended pod gives back what it used', async () => {
  const pod = await api.create<Pod>(pods, { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [] } })
  await quota({ pods: '5' })
  await clock.advance(100)
  expect(statusOf()?.used).toEqual({ pods: '1' })
  await api.patch(
    pods,
    pod.metadata,
    { type: 'merge', body: { status: { phase: 'Succeeded' } } },
    { subresource: 'status' },
  )
  await clock.advance(100)
  expect(statusOf()?.used).toEqual({ pods: '0' })
})

test('objects that the cache has not seen are counted, where the quota is newer than the cache', async () => {
  await quota({ pods: '5' })
  await clock.advance(100)
  silent.add('pods')
  await api.create<Pod>(pods, { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [] } })
  await api.patch(
    resourceQuotas,
    { namespace: 'default', name: 'q' },
    { type: 'merge', body: { spec: { hard: { pods: '6' } } } },
  )
  await clock.advance(100)
  expect(statusOf()).toEqual({ hard: { pods: '6' }, used: { pods: '1' } })
})

test('a count that is wrong is put right with time', async () => {
  const made = await quota({ configmaps: '5' })
  await clock.advance(100)
  await api.patch(
    resourceQuotas,
    made.metadata,
    { type: 'merge', body: { status: { used: { configmaps: '4' } } } },
    { subresource: 'status' },
  )
  await clock.advance(100)
  expect(statusOf()?.used).toEqual({ configmaps: '4' })
  await clock.advance(300_000)
  expect(statusOf()?.used).toEqual({ configmaps: '0' })
})

test('only kinds that some quota limits are followed', async () => {
  await quota({ configmaps: '5' })
  await clock.advance(100)
  const watched = () => new Set(api.calls.filter(({ verb }) => verb === 'watch').map(({ resource }) => resource))
  expect(watched()).toContain('configmaps')
  expect(watched()).not.toContain(secrets.plural)
})
