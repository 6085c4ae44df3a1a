import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeStore, type Subject } from '../../apiserver/storage/contract.ts'
import { put } from '../../apiserver/storage/contract-tools.ts'
import { openEtcd } from '../../apiserver/storage/etcd/store.ts'
import { type EtcdCluster, startEtcd } from '../support/etcd.ts'
import { startServer } from '../support/server.ts'

describe('with one etcd', () => {
  let cluster: EtcdCluster
  let stores = 0
  beforeAll(async () => {
    cluster = await startEtcd()
  }, 30_000)
  afterAll(() => cluster.stop())

  describeStore(
    'the etcd store',
    async () => {
      const prefix = `/test${++stores}`
      const open = () =>
        openEtcd({ endpoints: cluster.endpoints, prefix, compactionIntervalMs: 0, historyKeepMs: 3_600_000 })
      const subject: Subject = {
        store: await open(),
        async reopen() {
          await subject.store.close()
          subject.store = await open()
          return subject.store
        },
        destroy: () => subject.store.close(),
      }
      return subject
    },
    { modelRuns: 15, expirySlackMs: 6000 },
  )

  // The whole contract holds with requests only on the servers that openEtcd trusts with them.
  it.each(['request', 'write'] as const)('learns how far a watch is by %s', async (progress) => {
    const store = await openEtcd({ endpoints: cluster.endpoints, prefix: `/p-${progress}`, progress })
    const other = await openEtcd({ endpoints: cluster.endpoints, prefix: '/elsewhere' })
    const start = await store.commit([put('/a', 'x', 'any')])
    const batches = store.watch('/', start - 1, AbortSignal.timeout(10_000))[Symbol.asyncIterator]()
    expect((await batches.next()).value).toHaveLength(1)
    const last = await other.commit([put('/b', 'x', 'any')])
    await store.requestProgress()
    const { value } = await batches.next()
    expect('progress' in value && value.progress).toBeGreaterThanOrEqual(last)
    expect((await store.list('/')).entries).toHaveLength(1)
    await Promise.all([store.close(), other.close()])
    await expect(batches.next()).rejects.toMatchObject({ name: 'Unavailable' })
  })

  it('compacts in rounds, one of several servers each time', async () => {
    const open = () => openEtcd({ endpoints: cluster.endpoints, prefix: '/compacted', compactionIntervalMs: 150 })
    const stores = await Promise.all([open(), open(), open()])
    const first = await stores[0]!.commit([put('/a', '1', 'any')])
    const deadline = Date.now() + 10_000
    const isKept = async () => (await stores[1]!.get('/a', first).catch(() => undefined)) !== undefined
    for (let i = 0; (await isKept()) && Date.now() < deadline; i++) await stores[0]!.commit([put('/a', `${i}`, 'any')])
    expect(await isKept()).toBe(false)
    await Promise.all(stores.map((store) => store.close()))
  })

  it.each([
    ['as long as it is told', { historyKeepMs: 1500 }, 1500],
    ['less where there is too much', { historyKeepMs: 3_600_000, historyMaxBytes: 1 }, 0],
  ])('keeps history %s', async (_name, options, keptMs) => {
    const open = () =>
      openEtcd({ endpoints: cluster.endpoints, prefix: `/kept-${keptMs}`, compactionIntervalMs: 100, ...options })
    const store = await open()
    const began = Date.now()
    const first = await store.commit([put('/a', '1', 'any')])
    const deadline = began + 15_000
    const isKept = async () => (await store.get('/a', first).catch(() => undefined)) !== undefined
    for (let i = 0; (await isKept()) && Date.now() < deadline; i++) await store.commit([put('/a', `${i}`, 'any')])
    expect(await isKept()).toBe(false)
    expect(Date.now() - began).toBeGreaterThanOrEqual(keptMs)
    await store.close()
  })
})

describe('with etcd over TLS', () => {
  it('serves the API from there, under the prefix that was given', async () => {
    const cluster = await startEtcd({ tls: true })
    try {
      const { files } = cluster.tls!
      const flags = (prefix: string) => [
        `--etcd-prefix=${prefix}`,
        `--etcd-cafile=${files.ca}`,
        `--etcd-certfile=${files.cert}`,
        `--etcd-keyfile=${files.key}`,
      ]
      const [one, other] = await Promise.all(
        ['/one', '/other'].map((prefix) => startServer({ etcd: cluster.endpoints, args: flags(prefix) })),
      )
      await one!.kubectl('create configmap mine --from-literal=a=b')
      await expect(other!.kubectl('get configmap mine')).rejects.toThrow('not found')
      const { ca, cert, key } = cluster.tls!
      const root = await openEtcd({ endpoints: cluster.endpoints, prefix: '/one', tls: { ca, cert, key } })
      expect((await root.get('/configmaps/default/mine'))?.value.toString()).toContain('"name":"mine"')
      await Promise.all([root.close(), one!.stop(), other!.stop()])
    } finally {
      await cluster.stop()
    }
  })

  it('serves a client with a certificate, and nobody without', async () => {
    const cluster = await startEtcd({ tls: true })
    try {
      const { ca, cert, key } = cluster.tls!
      const store = await openEtcd({ endpoints: cluster.endpoints, tls: { ca, cert, key } })
      const revision = await store.commit([put('/a', 'x', 'absent')])
      expect((await store.get('/a'))?.modRevision).toBe(revision)
      await store.close()
      const stranger = openEtcd({ endpoints: cluster.endpoints, tls: { ca }, dialTimeoutMs: 1500 })
      await expect(stranger).rejects.toMatchObject({ name: 'Unavailable', unknown: false })
    } finally {
      await cluster.stop()
    }
  })
})
