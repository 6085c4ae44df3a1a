import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EtcdCluster, startEtcd } from '../support/etcd.ts'
import { startServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { ApiClient, versionOf } from './client.ts'
import { configMap, configMaps, contents, create, get, put } from './objects.ts'
import { type LocalServer, openToAll, startLocal } from './servers.ts'

/** Longer than any request may take: ten seconds for the store, and our own waiting. */
const boundMs = 25_000

describe('an etcd that goes away', () => {
  let etcd: EtcdCluster
  let server: LocalServer
  beforeAll(async () => {
    etcd = await startEtcd()
    server = await startLocal({ etcd: etcd.endpoints })
  })
  afterAll(async () => {
    await server?.stop()
    await etcd?.stop()
  })

  test('is answered with 503 or 504 in time; watches stay, and go on by themselves when it is back', async () => {
    const { client } = server
    const start = await create(client, 'outage', '0')
    const watch = client.watch(`${configMaps}?resourceVersion=${start}`)
    await watch.opened()
    await etcd.kill(0)
    const body = configMap('outage', { value: 'x' })
    const answers = await Promise.all([
      client.request('GET', `${configMaps}/outage`, { timeoutMs: boundMs }),
      client.request('GET', configMaps, { timeoutMs: boundMs }),
      client.request('GET', `${configMaps}?limit=1`, { timeoutMs: boundMs }),
      client.request('PUT', `${configMaps}/outage`, { body, timeoutMs: boundMs }),
      client.request('POST', configMaps, { body: configMap('outage-2', {}), timeoutMs: boundMs }),
      client.request('DELETE', `${configMaps}/outage`, { timeoutMs: boundMs }),
      client
        .request('GET', '/readyz', { timeoutMs: boundMs })
        .then((answer) => ({ ...answer, body: { kind: 'Status' } })),
    ])
    for (const { code, body: status } of answers) {
      expect([500, 503, 504]).toContain(code)
      expect(status?.kind).toBe('Status')
    }
    for (const { code } of answers.slice(0, -1)) expect(code).not.toBe(500)
    // What any version satisfies is answered from memory all the while.
    expect(contents(await client.expect(200, 'GET', `${configMaps}?resourceVersion=0`)).outage).toBe('0')
    expect(watch.isOver).toBe(false)

    await etcd.start(0)
    await until(async () => (await client.request('GET', configMaps)).code === 200, { timeoutMs: boundMs })
    const last = await put(client, 'outage', 'back')
    await watch.until((events) => events.some(({ object }) => versionOf(object) === last))
    watch.close()
  })
})

describe('three members of etcd, one of them silent', () => {
  let etcd: EtcdCluster
  let servers: LocalServer[]
  beforeAll(async () => {
    etcd = await startEtcd({ members: 3 })
    // Each server prefers another member.
    servers = await Promise.all(
      etcd.endpoints
        .slice(0, 2)
        .map((_, i) => startLocal({ etcd: [...etcd.endpoints.slice(i), ...etcd.endpoints.slice(0, i)] })),
    )
  })
  afterAll(async () => {
    for (const member of [0, 1, 2]) etcd?.resume(member)
    await Promise.all((servers ?? []).map((server) => server.stop()))
    await etcd?.stop()
  })

  test('no read shows the past, and the servers come back by themselves while it is still silent', async () => {
    const [a, b] = servers.map(({ client }) => client) as [ApiClient, ApiClient]
    await create(a, 'silent', '0')
    const watch = a.watch(`${configMaps}?fieldSelector=metadata.name%3Dsilent`)
    await watch.until((events) => events.length === 1)
    etcd.pause(0)
    let acknowledged = 0
    for (let i = 1; i <= 5; i++) {
      const body = configMap('silent', { value: String(i) })
      const answer = await until(
        async () => {
          const put = await b.request('PUT', `${configMaps}/silent`, { body, timeoutMs: boundMs })
          return put.code === 200 ? put : undefined
        },
        { timeoutMs: boundMs },
      )
      acknowledged = Number(answer.body?.data?.value)
      const [one, list] = await Promise.all([
        a.request('GET', `${configMaps}/silent`, { timeoutMs: boundMs }),
        a.request('GET', configMaps, { timeoutMs: boundMs }),
      ])
      if (one.code === 200) expect(Number(one.body?.data?.value)).toBeGreaterThanOrEqual(acknowledged)
      else expect([503, 504]).toContain(one.code)
      if (list.code === 200 && list.body) {
        expect(Number(contents(list.body).silent)).toBeGreaterThanOrEqual(acknowledged)
      } else expect([503, 504]).toContain(list.code)
    }
    const back = { timeoutMs: 40_000, everyMs: 200 }
    await until(async () => (await a.request('GET', configMaps, { timeoutMs: boundMs })).code === 200, back)
    expect((await get(a, 'silent')).data?.value).toBe('5')
    await watch.until((events) => events.at(-1)?.object.data?.value === '5')
    expect(watch.events.map(({ object }) => object.data?.value)).toEqual(['0', '1', '2', '3', '4', '5'])
    watch.close()
  })
})

test('a server killed under writers has every write that it acknowledged', async () => {
  const server = await startServer({ args: openToAll.filter((flag) => !flag.startsWith('--bind')) })
  const client = new ApiClient(server.url)
  try {
    const acknowledged = new Map<string, { value: number; version: number }>()
    let last = 0
    for (let round = 1; round <= 3; round++) {
      let stop = false
      const writer = async (n: number) => {
        const name = `kill-${round}-${n}`
        try {
          let version = await create(client, name, '0')
          for (let value = 0; !stop; version = await put(client, name, String(++value))) {
            acknowledged.set(name, { value, version })
            last = Math.max(last, version)
          }
        } catch {
          // The kill took this one's answer away.
        }
      }
      const before = acknowledged.size
      const writers = Array.from({ length: 8 }, (_, n) => writer(n))
      await until(() => acknowledged.size === before + 8 && [...acknowledged.values()].at(-1)!.value >= 10)
      await server.kill9()
      stop = true
      await Promise.all(writers)
      await server.restart()
      const list = await client.expect(200, 'GET', configMaps)
      const found = contents(list)
      for (const [name, { value }] of acknowledged) {
        // One more may have been made whose answer was lost.
        expect([String(value), String(value + 1)]).toContain(found[name])
      }
      expect(versionOf(list)).toBeGreaterThanOrEqual(last)
    }
  } finally {
    client.close()
    await server.stop()
  }
})
