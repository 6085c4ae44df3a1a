import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { gather, put, text } from '../../apiserver/storage/contract-tools.ts'
import { openEtcd } from '../../apiserver/storage/etcd/store.ts'
import type { Revision, Store, StoreEvent } from '../../apiserver/storage/store.ts'
import { Unavailable } from '../../apiserver/storage/store.ts'
import { type EtcdCluster, startEtcd } from '../support/etcd.ts'

describe('three etcd members', () => {
  let cluster: EtcdCluster
  let store: Store
  beforeEach(async () => {
    cluster = await startEtcd({ members: 3, args: ['--heartbeat-interval', '50', '--election-timeout', '500'] })
    store = await openEtcd({ endpoints: cluster.endpoints, requestTimeoutMs: 4000 })
  }, 60_000)
  afterEach(async () => {
    await store.close()
    for (let i = 0; i < 3; i++) cluster.resume(i)
    await cluster.stop()
  })

  /** Commits, and finds out what became of it where that is unknown, until it stands. */
  async function insist(key: string, value: string, deadlineMs = 20_000): Promise<Revision> {
    const deadline = Date.now() + deadlineMs
    for (;;) {
      try {
        return await store.commit([put(key, value, 'absent')])
      } catch (error) {
        if (Date.now() > deadline) throw error
        const entry = await store.get(key).catch(() => undefined)
        if (text(entry) === value) return entry!.modRevision
      }
    }
  }

  it.each(['kill', 'pause'] as const)(
    'go on after a %s of any one, with watches that miss and repeat nothing',
    async (how) => {
      const start = await store.revision()
      const seen: StoreEvent[] = []
      const abort = new AbortController()
      const watching = (async () => {
        for await (const batch of store.watch('/k/', start, abort.signal))
          if (!('progress' in batch)) seen.push(...batch)
      })()
      let n = 0
      const write = async (count: number) => {
        for (let i = 0; i < count; i++) await insist(`/k/${n++}`, 'x')
      }
      await write(20)
      for (const member of [0, 1]) {
        if (how === 'kill') await cluster.kill(member)
        else cluster.pause(member)
        await write(10)
        if (how === 'kill') await cluster.start(member)
        else cluster.resume(member)
        await write(10)
      }
      const deadline = Date.now() + 20_000
      while (seen.length < n && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
      abort.abort()
      await watching
      expect(seen.map((event) => event.key)).toEqual(Array.from({ length: n }, (_, i) => `/k/${i}`))
      const revisions = seen.map((event) => event.revision)
      expect(revisions).toEqual([...revisions].sort((a, b) => a - b))
      expect(new Set(revisions).size).toBe(n)
    },
    90_000,
  )

  it('refuse in bounded time without a quorum, and serve again with one', async () => {
    await insist('/a', 'before')
    cluster.pause(1)
    cluster.pause(2)
    const began = Date.now()
    const refused = await Promise.allSettled([
      store.commit([put('/b', 'x', 'absent')]),
      store.get('/a'),
      store.list('/'),
      store.revision(),
    ])
    expect(Date.now() - began).toBeLessThan(9_000)
    for (const outcome of refused) {
      expect(outcome.status).toBe('rejected')
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(Unavailable)
    }
    // Nobody knows whether the write will happen; of a read there is nothing to know.
    expect(refused.map((outcome) => (outcome as PromiseRejectedResult).reason.unknown)).toEqual([
      true,
      false,
      false,
      false,
    ])
    cluster.resume(1)
    cluster.resume(2)
    const revision = await insist('/c', 'after')
    expect(text(await store.get('/a'))).toBe('before')
    expect((await gather(store, '/c', revision - 1, (events) => events.length === 1))[0]?.revision).toBe(revision)
  }, 60_000)
})

describe('one etcd', () => {
  it('is waited for when it restarts: reads and writes that never left are tried again', async () => {
    const cluster = await startEtcd()
    const store = await openEtcd({ endpoints: cluster.endpoints })
    try {
      const first = await store.commit([put('/a', '1', 'absent')])
      await cluster.kill(0)
      const reading = store.get('/a')
      const watching = gather(store, '/', first, (events) => events.length === 1)
      await cluster.start(0)
      expect(text(await reading)).toBe('1')
      await expect(store.commit([put('/b', '2', 'absent')])).resolves.toBeGreaterThan(first)
      expect((await watching)[0]?.key).toBe('/b')
    } finally {
      await store.close()
      await cluster.stop()
    }
  }, 40_000)

  it('is reported when it is not there', async () => {
    const opening = openEtcd({ endpoints: ['http://127.0.0.1:1'], dialTimeoutMs: 800 })
    await expect(opening).rejects.toMatchObject({ name: 'Unavailable' })
  })
})
