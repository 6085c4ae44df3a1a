import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { type EtcdCluster, startEtcd } from '../support/etcd.ts'
import { until } from '../support/until.ts'
import { type ApiClient, versionOf, type WatchEvent, type WatchStream } from './client.ts'
import { faultsOf, type History, type WatchRecord } from './history.ts'
import { configMap, configMaps } from './objects.ts'
import { type LocalServer, type LocalServerOptions, startLocal } from './servers.ts'

const keys = ['k0', 'k1', 'k2', 'k3']
const writers = 5
const watchers = 4
const recordMs = 12_000

describe('a history recorded under faults is one that a correct store could have', () => {
  const cleanups: (() => Promise<unknown> | undefined)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  test('one server on the embedded store, its watch cut, held and delayed', async () => {
    const server = await startLocal()
    cleanups.push(() => server.stop())
    const history = await record([server], async () => {
      server.store.cut()
      await delay(200)
      server.store.hold()
      await delay(700)
      server.store.heal()
      server.store.watchDelayMs = 100
      await delay(500)
      server.store.heal()
    })
    expect(faultsOf(history).slice(0, 20)).toEqual([])
  })

  test('three servers on three members of etcd: watches cut, members silent and killed, servers started anew', async () => {
    const etcd: EtcdCluster = await startEtcd({ members: 3 })
    cleanups.push(() => etcd.stop())
    const start = (i: number, more: LocalServerOptions = {}) =>
      startLocal({ ...more, etcd: [...etcd.endpoints.slice(i), ...etcd.endpoints.slice(0, i)] })
    const servers = await Promise.all([0, 1, 2].map((i) => start(i)))
    cleanups.push(() => Promise.all(servers.map((server) => server.stop())))
    let round = 0
    const history = await record(servers, async () => {
      const i = round++ % 3
      servers[i]?.store.cut()
      await delay(300)
      etcd.pause(i)
      await delay(900)
      etcd.resume(i)
      if (i === 1) {
        await etcd.kill(2)
        await delay(300)
        await etcd.start(2)
      } else {
        const old = servers[i] as LocalServer
        await old.stop()
        servers[i] = await start(i)
      }
      await delay(500)
    })
    expect(faultsOf(history).slice(0, 20)).toEqual([])
  })
})

/** Writes, reads and watches through all servers while `fault` happens again and again. */
async function record(servers: readonly LocalServer[], fault: () => Promise<void>): Promise<History> {
  const history: History = { writes: [], reads: [], watches: [] }
  const state = { stop: false, values: 0 }
  const client = (i: number): ApiClient => (servers[i % servers.length] as LocalServer).client
  const list = await client(0).expect(200, 'GET', configMaps)
  const from = versionOf(list)
  history.watches = Array.from({ length: watchers }, (_, i) => ({ name: `watcher ${i}`, connections: [] }))
  const watching = history.watches.map((record, i) => follow(record, i, from, client, state, servers.length > 1))
  const working = Array.from({ length: writers }, (_, i) => work(i, client, history, state))
  const until = Date.now() + recordMs
  while (Date.now() < until) await fault()
  state.stop = true
  await Promise.all(working)
  // One last write is how every watcher knows that it has everything.
  const end = versionOf(await settled(client, history))
  await Promise.all(watching.map((watch) => watch.finish(end)))
  expect(history.writes.filter(({ version }) => version !== undefined).length).toBeGreaterThan(50)
  expect(history.reads.length).toBeGreaterThan(50)
  return history
}

async function settled(client: (i: number) => ApiClient, history: History) {
  const startedAt = performance.now()
  const body = await until(
    async () => {
      const answer = await client(0).request('POST', configMaps, { body: configMap('end', { value: 'end' }) })
      if (answer.code === 409) return (await client(0).request('GET', `${configMaps}/end`)).body
      return answer.code === 201 ? answer.body : undefined
    },
    { timeoutMs: 40_000, everyMs: 200 },
  )
  history.writes.push({ key: 'end', value: 'end', version: versionOf(body), startedAt, endedAt: performance.now() })
  return body
}

interface State {
  stop: boolean
  values: number
}

/** Creates, replaces, deletes and reads, each time through the next server, and writes down what came of it. */
async function work(n: number, client: (i: number) => ApiClient, history: History, state: State): Promise<void> {
  for (let i = 0; !state.stop; i++) {
    const key = keys[(n + i) % keys.length] as string
    const its = client(n + i)
    const value = `v${state.values++}`
    const action = i % 5
    const startedAt = performance.now()
    const options = { timeoutMs: 25_000 }
    try {
      if (action === 0 || action === 3) {
        const { code, body } = await its.request('GET', `${configMaps}/${key}`, options)
        const endedAt = performance.now()
        if (code === 200 && body) {
          history.reads.push({ key, value: body.data?.value, version: versionOf(body), startedAt, endedAt })
        } else if (code === 404) history.reads.push({ key, value: undefined, version: undefined, startedAt, endedAt })
        continue
      }
      const body = configMap(key, { value })
      const write = { key, value: action === 4 ? undefined : value, version: undefined, startedAt, endedAt: Infinity }
      // Written down before it is sent: what is lost on the way may have been made.
      if (action === 4) {
        await its.request('DELETE', `${configMaps}/${key}`, options)
        continue
      }
      history.writes.push(write)
      const put = await its.request('PUT', `${configMaps}/${key}`, { body, ...options })
      const answer = put.code === 404 ? await its.request('POST', configMaps, { body, ...options }) : put
      if ((answer.code === 200 || answer.code === 201) && answer.body) {
        Object.assign(write, { version: versionOf(answer.body), endedAt: performance.now() })
      }
    } catch {
      // Cut off: nobody knows.
      await delay(50)
    }
  }
}

/** Watches, coming back to the next server whenever it is cut off, from the last version it was told. */
function follow(
  record: WatchRecord,
  n: number,
  start: number,
  client: (i: number) => ApiClient,
  state: State,
  several: boolean,
): { finish(end: number): Promise<void> } {
  let from = start
  let stream: WatchStream | undefined
  let over = false
  const run = (async () => {
    for (let i = 0; !over; i++) {
      const query = `resourceVersion=${from}&allowWatchBookmarks=true&timeoutSeconds=${1 + ((n + i) % 3)}`
      const watch = client(several ? n + i : 0).watch(`${configMaps}?${query}`)
      stream = watch
      const events: WatchEvent[] = watch.events
      const connection = { from, events }
      while (!watch.isOver && !over) await delay(20)
      // What has come is what counts; later arrivals on a connection that was given up do not.
      connection.events = [...events]
      record.connections.push(connection)
      const last = connection.events.findLast(({ type }) => type !== 'ERROR')
      if (last) from = Math.max(from, versionOf(last.object))
      watch.close()
      if (watch.code !== 200) await delay(100)
    }
  })()
  return {
    async finish(end) {
      const reached = () => Math.max(from, ...(stream?.events ?? []).map(({ object }) => versionOf(object) || 0)) >= end
      await until(reached, { timeoutMs: 40_000, message: `${record.name} sees ${end}, stopped: ${state.stop}` })
      over = true
      await run
    },
  }
}
