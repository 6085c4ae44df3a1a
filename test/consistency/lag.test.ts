import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { versionOf } from './client.ts'
import { type Bench, bench, configMap, configMaps, contents, create, get, put, remove, stores } from './objects.ts'
import type { LocalServer } from './servers.ts'

// The watch that fills the caches is the server's memory of the store. Whatever it lags, nobody may be told the past.

describe.each(stores)('on the %s store, with a watch that lags', (kind) => {
  let servers: Bench
  let server: LocalServer
  beforeAll(async () => {
    servers = await bench(kind)
    server = await servers.start()
  })
  afterEach(() => server.store.heal())
  afterAll(() => servers?.stop())

  test('reads without a version show every write acknowledged before them', async () => {
    const { client, store } = server
    store.watchDelayMs = 500
    await create(client, 'fresh', '0')
    for (let i = 1; i <= 3; i++) {
      const version = await put(client, 'fresh', String(i))
      const [one, all, page] = await Promise.all([
        get(client, 'fresh'),
        client.expect(200, 'GET', configMaps),
        client.expect(200, 'GET', `${configMaps}?limit=500`),
      ])
      expect(one.data?.value).toBe(String(i))
      expect(versionOf(one)).toBe(version)
      for (const list of [all, page]) {
        expect(contents(list).fresh).toBe(String(i))
        expect(versionOf(list)).toBeGreaterThanOrEqual(version)
      }
    }
    expect((await remove(client, 'fresh')).code).toBe(200)
    expect((await client.request('GET', `${configMaps}/fresh`)).code).toBe(404)
  })

  test('a watch without a version begins with what was acknowledged', async () => {
    const { client, store } = server
    store.watchDelayMs = 500
    await create(client, 'begin', '0')
    await put(client, 'begin', '1')
    const watch = client.watch(`${configMaps}?fieldSelector=metadata.name%3Dbegin`)
    await watch.until((events) => events.length > 0)
    expect(watch.events[0]).toMatchObject({ type: 'ADDED', object: { data: { value: '1' } } })
    watch.close()
  })

  test('a write that repeats what the cache still shows is done, not taken for done', async () => {
    const { client, store } = server
    await create(client, 'again', 'a')
    await until(async () => contents(await client.expect(200, 'GET', `${configMaps}?resourceVersion=0`)).again === 'a')
    store.hold()
    await put(client, 'again', 'b')
    const version = await put(client, 'again', 'a')
    const stands = JSON.parse((await store.get('/configmaps/default/again'))?.value.toString() ?? '')
    expect(stands.data.value).toBe('a')
    expect(version).toBe((await store.get('/configmaps/default/again'))?.modRevision)
    await put(client, 'again', 'b')
    await client.expect(200, 'PATCH', `${configMaps}/again`, {
      body: { data: { value: 'a' } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(JSON.parse((await store.get('/configmaps/default/again'))?.value.toString() ?? '').data.value).toBe('a')
  })

  test('a delete that the cache has seen already is made again for an object of the same name', async () => {
    const { client, store } = server
    const held = configMap('twice', {})
    const path = `${configMaps}/twice`
    await client.expect(201, 'POST', configMaps, {
      body: { ...held, metadata: { ...held.metadata, finalizers: ['gantry.dev/held'] } },
    })
    const marked = await client.expect(200, 'DELETE', path)
    await until(async () => {
      const { items } = await client.expect(200, 'GET', `${configMaps}?resourceVersion=0`)
      return (
        items?.find(({ metadata }) => metadata.name === 'twice')?.metadata.resourceVersion ===
        marked.metadata.resourceVersion
      )
    })
    store.hold()
    await client.expect(200, 'PUT', path, { body: held })
    await client.expect(201, 'POST', configMaps, { body: held })
    await client.expect(200, 'DELETE', path)
    expect(await store.get('/configmaps/default/twice')).toBeUndefined()
  })

  test('while nothing arrives, answers are right or refused in time, and all is well again by itself', async () => {
    const { client, store } = server
    await create(client, 'stuck', '0')
    store.hold()
    const version = await put(client, 'stuck', '1')
    const [one, list, newer] = await Promise.all([
      get(client, 'stuck'),
      client.request('GET', configMaps, { timeoutMs: 10_000 }),
      client.request('GET', `${configMaps}?resourceVersion=${version}`, { timeoutMs: 10_000 }),
    ])
    expect(one.data?.value).toBe('1')
    for (const answer of [list, newer]) {
      expect([200, 504]).toContain(answer.code)
      if (answer.body && answer.code === 200) expect(contents(answer.body).stuck).toBe('1')
    }
    store.heal()
    const healed = await until(async () => {
      const answer = await client.request('GET', configMaps)
      return answer.code === 200 ? answer : undefined
    })
    expect(contents(healed.body as never).stuck).toBe('1')
  })

  test('a cut watch is resumed without a gap', async () => {
    const { client, store } = server
    const start = await create(client, 'cut', '0')
    const watch = client.watch(`${configMaps}?resourceVersion=${start}&fieldSelector=metadata.name%3Dcut`)
    for (let i = 1; i <= 20; i++) {
      if (i % 4 === 0) store.cut()
      await put(client, 'cut', String(i))
    }
    await watch.until((events) => events.length >= 20)
    expect(watch.events.map(({ object }) => object.data?.value)).toEqual(
      Array.from({ length: 20 }, (_, i) => `${i + 1}`),
    )
    watch.close()
  })

  test('a future version is refused with 504 and its reason, after waiting for it', async () => {
    const { client } = server
    const list = await client.expect(200, 'GET', configMaps)
    const answer = await client.request('GET', `${configMaps}?resourceVersion=${versionOf(list) + 1000}`)
    expect(answer.code).toBe(504)
    expect(answer.text).toContain('ResourceVersionTooLarge')
  })
})
