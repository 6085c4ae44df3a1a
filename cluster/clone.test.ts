import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { put } from '../apiserver/storage/contract-tools.ts'
import { openEmbedded } from '../apiserver/storage/embedded/store.ts'
import { cloneCluster } from './clone.ts'
import { readSettings, type Settings } from './settings.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-clone-test-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const storeOf = (name: string) => ({ kind: 'embedded' as const, directory: join(directory, name, 'store') })
const contents = async (name: string) => {
  const store = await openEmbedded(storeOf(name))
  const { entries } = await store.list('/')
  await store.close()
  return entries.map(({ key, value }) => `${key}=${value}`)
}

test('a clone has the objects, nodes and flags of the first, and ports of its own', async () => {
  const store = await openEmbedded(storeOf('first'))
  await store.commit([put('/configmaps/a/b', '1', 'absent')])
  await store.close()
  const settings: Settings = {
    runtime: 'hollow',
    store: 'embedded',
    nodes: 3,
    port: 6443,
    schedulerPort: 10_259,
    controllerManagerPort: 10_257,
    etcdPorts: [0, 0],
    extraConfig: { apiserver: { 'event-ttl': '2h' } },
  }
  writeFileSync(join(directory, 'first/cluster.json'), JSON.stringify(settings))
  const summary = await cloneCluster(storeOf('first'), join(directory, 'first'), join(directory, 'second'))
  expect(summary.entries).toBe(1)
  expect(await contents('second')).toEqual(['/configmaps/a/b=1'])
  const cloned = readSettings(join(directory, 'second/cluster.json'))
  expect(cloned).toMatchObject({ runtime: 'hollow', nodes: 3, extraConfig: { apiserver: { 'event-ttl': '2h' } } })
  for (const port of ['port', 'schedulerPort', 'controllerManagerPort'] as const)
    expect(cloned?.[port]).not.toBe(settings[port])
  // What is there is never written over, and the first one is as it was.
  await expect(cloneCluster(storeOf('first'), join(directory, 'first'), join(directory, 'second'))).rejects.toThrow(
    'holds something already',
  )
  expect(await contents('first')).toEqual(['/configmaps/a/b=1'])
})
