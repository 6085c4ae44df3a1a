import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { type ApiClient, type Body, versionOf, type WatchEvent } from './client.ts'
import { type Bench, bench, configMap, configMaps, contents, create, put, remove, stores } from './objects.ts'
import type { LocalServer } from './servers.ts'

const versions = (events: readonly WatchEvent[]) => events.map(({ object }) => versionOf(object))
const rising = (numbers: readonly number[]) => numbers.every((n, i) => i === 0 || n > (numbers[i - 1] as number))

describe.each(stores)('watches on the %s store', (kind) => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-watches-'))
  let servers: Bench
  let server: LocalServer
  let client: ApiClient
  beforeAll(async () => {
    servers = await bench(kind)
    server = await servers.start({ directory: join(directory, 'first') })
    client = server.client
  })
  afterAll(async () => {
    await servers?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  test('a list and the watches after it miss nothing and repeat nothing, over reconnects and servers', async () => {
    const others = kind === 'etcd' ? [(await servers.start()).client] : []
    const clients = [client, ...others]
    const acknowledged: number[] = []
    let stop = false
    const writer = async (n: number) => {
      for (let i = 0; !stop; i++) {
        const its = clients[(n + i) % clients.length] as ApiClient
        const name = `gap-${n}-${i % 3}`
        if (i < 3) acknowledged.push(await create(its, name, '0'))
        else acknowledged.push(await put(its, name, String(i)))
      }
    }
    const writers = Array.from({ length: 4 }, (_, n) => writer(n))
    await until(() => acknowledged.length > 20)
    const start = versionOf(await client.expect(200, 'GET', configMaps))
    const seen: number[] = []
    let from = start
    for (let round = 0; round < 12; round++) {
      const its = clients[round % clients.length] as ApiClient
      const watch = its.watch(`${configMaps}?resourceVersion=${from}`)
      await watch.until((events) => events.length >= 8)
      watch.close()
      const brought = versions(watch.events)
      seen.push(...brought)
      from = brought.at(-1) as number
    }
    stop = true
    await Promise.all(writers)
    expect(rising(seen)).toBe(true)
    const wanted = acknowledged.filter((version) => version > start && version <= from).sort((a, b) => a - b)
    expect(seen).toEqual(wanted)
  })

  test('versions rise with every write and a write that changes nothing keeps its version', async () => {
    const made: number[] = [await create(client, 'rise', '0')]
    for (let i = 1; i < 20; i++) made.push(await put(client, 'rise', String(i)))
    expect(rising(made)).toBe(true)
    expect(await put(client, 'rise', '19')).toBe(made.at(-1))
  })

  test('an object that crosses a selector is added and deleted', async () => {
    const start = await create(client, 'cross', '0', { side: 'left' })
    const query = `resourceVersion=${start}&labelSelector=side%3Dright`
    const watch = client.watch(`${configMaps}?${query}`)
    await watch.opened()
    await put(client, 'cross', '1', { side: 'right' })
    await put(client, 'cross', '2', { side: 'right' })
    const left = await put(client, 'cross', '3', { side: 'left' })
    await put(client, 'cross', '4', { side: 'left' })
    await put(client, 'cross', '5', { side: 'right' })
    await remove(client, 'cross')
    await watch.until((events) => events.length >= 5)
    const shown = watch.events.map(({ type, object }) => `${type} ${object.data?.value}`)
    expect(shown).toEqual(['ADDED 1', 'MODIFIED 2', 'DELETED 2', 'ADDED 5', 'DELETED 5'])
    expect(versions(watch.events)[2]).toBe(left)
    watch.close()
    // The same for one who comes later, and is served from history.
    const late = client.watch(`${configMaps}?${query}`)
    await late.until((events) => events.length >= 5)
    expect(late.events).toEqual(watch.events)
    late.close()
  })

  test('initial events end with their bookmark, and what follows is new', async () => {
    await create(client, 'initial', '0')
    const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    const watch = client.watch(`${configMaps}?${query}`)
    const ends = ({ object }: WatchEvent) => object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true'
    await watch.until((events) => events.some(ends))
    const at = watch.events.findIndex(ends)
    const list = await client.expect(200, 'GET', configMaps)
    const names = watch.events.slice(0, at).map(({ type, object }) => `${type} ${object.metadata.name}`)
    expect(names).toEqual(list.items?.map(({ metadata }) => `ADDED ${metadata.name}`))
    const bookmark = versionOf((watch.events[at] as WatchEvent).object)
    expect(Math.max(...versions(watch.events.slice(0, at)))).toBeLessThanOrEqual(bookmark)
    const next = await put(client, 'initial', '1')
    await watch.until((events) => events.length > at + 1)
    expect(watch.events[at + 1]).toMatchObject({
      type: 'MODIFIED',
      object: { metadata: { resourceVersion: `${next}` } },
    })
    watch.close()
  })

  test('a bookmark comes after everything up to its version', async () => {
    const start = await create(client, 'mark', '0')
    const watch = client.watch(`${configMaps}?resourceVersion=${start}&allowWatchBookmarks=true&timeoutSeconds=1`)
    const made: number[] = []
    while (!watch.isOver) made.push(await put(client, 'mark', String(made.length + 1)))
    expect(watch.events.at(-1)?.type).toBe('BOOKMARK')
    const bookmark = versionOf(watch.events.at(-1)?.object as Body)
    const changes = versions(watch.events.slice(0, -1))
    expect(changes).toEqual(made.filter((version) => version <= bookmark))
  })

  test('no bookmark takes a watcher back behind the version it began with', async () => {
    const start = await create(client, 'ahead', '0')
    server.store.hold()
    const version = await put(client, 'ahead', '1')
    expect(version).toBeGreaterThan(start)
    const watch = client.watch(`${configMaps}?resourceVersion=${version}&allowWatchBookmarks=true&timeoutSeconds=1`)
    await watch.over()
    server.store.heal()
    for (const seen of versions(watch.events)) expect(seen).toBeGreaterThanOrEqual(version)
  })

  test('all pages of a list show one version, whatever is written between them', async () => {
    for (let i = 0; i < 10; i++) await create(client, `page-${i}`, 'before', { paged: 'yes' })
    for (const selector of ['', '&labelSelector=paged%3Dyes']) {
      const whole = await client.expect(200, 'GET', `${configMaps}?${selector.slice(1)}`)
      const items: Body[] = []
      const seen = new Set<string | undefined>()
      let token = ''
      for (let i = 0; ; i++) {
        const page = await client.expect(200, 'GET', `${configMaps}?limit=3${selector}&continue=${token}`)
        items.push(...(page.items ?? []))
        seen.add(page.metadata.resourceVersion)
        token = page.metadata.continue ?? ''
        if (token === '') break
        await put(client, `page-${9 - (i % 3)}`, `after ${selector} ${i}`, { paged: 'yes' })
        await create(client, `page-0-${i}${selector === '' ? '' : '-x'}`, 'new', { paged: 'yes' })
      }
      expect([...seen]).toEqual([whole.metadata.resourceVersion])
      expect(items).toEqual(whole.items)
    }
  })

  test('sixteen writers that count lose nothing', async () => {
    await create(client, 'count', '0')
    const clients = [client, ...(kind === 'etcd' ? [(await servers.start()).client] : [])]
    const each = 6
    const increment = async (its: ApiClient) => {
      for (let done = 0; done < each; ) {
        const { metadata, data } = await its.expect(200, 'GET', `${configMaps}/count`)
        const body = configMap('count', { value: String(Number(data?.value) + 1) })
        Object.assign(body.metadata, { resourceVersion: metadata.resourceVersion })
        const answer = await its.request('PUT', `${configMaps}/count`, { body })
        if (answer.code === 200) done++
        else expect(answer.code).toBe(409)
      }
    }
    await Promise.all(Array.from({ length: 16 }, (_, i) => increment(clients[i % clients.length] as ApiClient)))
    const { data } = await client.expect(200, 'GET', `${configMaps}/count`)
    expect(data?.value).toBe(String(16 * each))
  })

  test('a client that stops reading costs little, harms nobody, and catches up or is told to list again', async () => {
    const big = 'x'.repeat(100_000)
    const start = await create(client, 'slow', '0')
    const slow = client.watch(`${configMaps}?resourceVersion=${start}`)
    await slow.opened()
    slow.pause()
    const quick = client.watch(`${configMaps}?resourceVersion=${start}`)
    const before = process.memoryUsage().external
    const made: number[] = []
    for (let i = 0; i < 250; i++) made.push(await put(client, 'slow', `${i}${big}`))
    await quick.until((events) => events.length >= made.length)
    expect(versions(quick.events)).toEqual(made)
    quick.close()
    // History and sockets are bounded; a queue for the slow one would hold all 25 MB beside them.
    expect(process.memoryUsage().external - before).toBeLessThan(120 << 20)
    slow.resume()
    await slow.until((events) => events.at(-1)?.type === 'ERROR' || events.length >= made.length)
    const last = slow.events.at(-1) as WatchEvent
    const brought = slow.events.filter(({ type }) => type !== 'ERROR')
    expect(versions(brought)).toEqual(made.slice(0, brought.length))
    if (last.type === 'ERROR') expect(last.object).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' })
    slow.close()
    await remove(client, 'slow')
  })

  test('what is compacted is refused with 410, and what is not is complete, to the very revision', async () => {
    await create(client, 'old', '0', { old: 'yes' })
    const made: number[] = []
    for (let i = 1; i <= 6; i++) made.push(await put(client, 'old', String(i), { old: i % 2 ? 'no' : 'yes' }))
    const [early, below, at] = [made[0] as number, (made[3] as number) - 1, made[3] as number]
    const page = await client.expect(200, 'GET', `${configMaps}?limit=2`)
    const later = await put(client, 'old', '7', { old: 'yes' })
    await server.store.compact(at)
    const token = page.metadata.continue
    // A server that has just started remembers nothing itself.
    await server.stop()
    server = await servers.start({ directory: join(directory, 'first') })
    client = server.client

    const exact = (version: number) => `${configMaps}?resourceVersionMatch=Exact&resourceVersion=${version}`
    expect((await client.request('GET', exact(below))).code).toBe(410)
    expect(contents(await client.expect(200, 'GET', exact(at))).old).toBe('4')
    expect((await client.request('GET', exact(early))).body).toMatchObject({ kind: 'Status', reason: 'Expired' })

    for (const selector of ['', '&labelSelector=old%3Dyes']) {
      for (const version of [early, below]) {
        const gone = client.watch(`${configMaps}?resourceVersion=${version}${selector}`)
        await gone.over()
        if (gone.code === 410) continue
        expect(gone.events).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }])
      }
      const kept = client.watch(`${configMaps}?resourceVersion=${at}${selector}`)
      await kept.until((events) => events.length >= 3)
      const shown = kept.events.map(({ type, object }) => `${type} ${object.data?.value}`)
      expect(shown).toEqual(
        selector === '' ? ['MODIFIED 5', 'MODIFIED 6', 'MODIFIED 7'] : ['DELETED 4', 'ADDED 6', 'MODIFIED 7'],
      )
      expect(versionOf((kept.events.at(-1) as WatchEvent).object)).toBe(later)
      kept.close()
    }

    // The page's version is kept still; compacted too, the token is refused with one that goes on without the version.
    await client.expect(200, 'GET', `${configMaps}?limit=2&continue=${token}`)
    await server.store.compact(later)
    const expired = await client.expect(410, 'GET', `${configMaps}?limit=500&continue=${token}`)
    expect(expired.reason).toBe('Expired')
    const rest = await client.expect(200, 'GET', `${configMaps}?limit=500&continue=${expired.metadata.continue}`)
    const names = [...(page.items ?? []), ...(rest.items ?? [])].map(({ metadata }) => metadata.name)
    const all = await client.expect(200, 'GET', configMaps)
    expect(names).toEqual(all.items?.map(({ metadata }) => metadata.name))
  })

  test('a token dies with its version although nothing of its kind has changed', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts'
    for (const name of ['page-a', 'page-b', 'page-c'])
      await client.expect(201, 'POST', accounts, { body: { metadata: { name, labels: { paged: 'yes' } } } })
    const page = await client.expect(200, 'GET', `${accounts}?limit=1&labelSelector=paged`)
    const rest = `${accounts}?limit=1&labelSelector=paged&continue=`
    const { continue: token, resourceVersion } = page.metadata
    const later = await create(client, 'unlike', '0')
    expect((await client.expect(200, 'GET', rest + token)).metadata.resourceVersion).toBe(resourceVersion)
    await server.store.compact(later)
    const expired = await client.expect(410, 'GET', rest + token)
    const second = await client.expect(200, 'GET', rest + expired.metadata.continue)
    expect(second.items?.map(({ metadata }) => metadata.name)).toEqual(['page-b'])
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion))
    await remove(client, 'unlike')
  })
})
