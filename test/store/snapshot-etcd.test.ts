import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { gather, put, remove } from '../../apiserver/storage/contract-tools.ts'
import { openStore } from '../../apiserver/storage/open.ts'
import { restoreSnapshot, saveSnapshot, snapshotSave } from '../../apiserver/storage/snapshot.ts'
import type { Entry, Store } from '../../apiserver/storage/store.ts'
import { Compacted } from '../../apiserver/storage/store.ts'
import { type EtcdCluster, startEtcd } from '../support/etcd.ts'

let cluster: EtcdCluster
let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-snapshot-'))
  cluster = await startEtcd()
}, 30_000)
afterAll(async () => {
  await cluster.stop()
  rmSync(directory, { recursive: true, force: true })
})

const etcd = (prefix: string) => ({
  kind: 'etcd' as const,
  endpoints: cluster.endpoints,
  prefix,
  compactionIntervalMs: 0,
})
const embedded = (name: string) => ({ kind: 'embedded' as const, directory: join(directory, name) })
const contents = (entries: Entry[]) => entries.map(({ key, value }) => [key, value.toString()])

async function fill(store: Store): Promise<void> {
  for (let i = 0; i < 150; i++)
    await store.commit([put(`/k/${i}`, `value ${i}`, 'absent'), put('/same', `${i}`, 'any')])
  await store.commit([remove('/k/3', 'any')])
  await store.commit([{ ...put('/event', 'x', 'absent'), ttlSeconds: 600 }])
  for (const key of ['/large/1', '/large/2'])
    await store.commit([{ key, value: Buffer.alloc(900_000, key), expect: 'absent' }])
}

it('moves a store from embedded to etcd and back', async () => {
  const from = await openStore(embedded('from'))
  await fill(from)
  const before = (await from.list('/')).entries
  const path = join(directory, 'one')
  const saved = await saveSnapshot(from, path)
  await from.close()

  const summary = await restoreSnapshot(path, etcd('/moved'))
  expect(summary.revision).toBeGreaterThan(saved.revision)
  const moved = await openStore(etcd('/moved'))
  expect(contents((await moved.list('/')).entries)).toEqual(contents(before))
  await expect(gather(moved, '/', saved.revision, () => true)).rejects.toBeInstanceOf(Compacted)
  await moved.close()

  const second = join(directory, 'two')
  await snapshotSave({ store: etcd('/moved'), path: second })
  await restoreSnapshot(second, embedded('back'))
  const back = await openStore(embedded('back'))
  expect(contents((await back.list('/')).entries)).toEqual(contents(before))
  expect(await back.revision()).toBeGreaterThan(summary.revision)
  await back.close()
}, 60_000)

it('refuses an etcd that holds something, and when forced leaves there what the snapshot has and nothing else', async () => {
  const from = await openStore(embedded('small'))
  await from.commit([put('/a', '1', 'absent'), put('/b', '2', 'absent')])
  const path = join(directory, 'small-snapshot')
  await saveSnapshot(from, path)
  await from.close()
  const target = await openStore(etcd('/used'))
  await target.commit([put('/b', 'old', 'absent'), put('/c', 'old', 'absent')])
  await expect(restoreSnapshot(path, etcd('/used'))).rejects.toThrow('already holds 2 entries')
  await restoreSnapshot(path, etcd('/used'), { force: true })
  expect(contents((await target.list('/')).entries)).toEqual([
    ['/a', '1'],
    ['/b', '2'],
  ])
  await target.close()
}, 60_000)
