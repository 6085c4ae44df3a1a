import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { snapshotPath } from '../../api/gantry/snapshot.ts'
import { openEmbedded } from '../../apiserver/storage/embedded/store.ts'
import { snapshotRestore } from '../../apiserver/storage/snapshot.ts'
import { type RunningServer, runServer } from '../../apiserver/testing/running-server.ts'
import { saveObjects } from './objects.ts'

let server: RunningServer
beforeEach(async () => {
  server = await runServer()
})
afterEach(() => server.stop())

const dataDir = () => join(server.directory, 'data')
const storeIn = (name: string) => ({ kind: 'embedded' as const, directory: join(dataDir(), name) })

test('a cluster that runs is saved, as of one moment, and goes on', async () => {
  const configMaps = '/api/v1/namespaces/default/configmaps'
  await server.create(configMaps, { metadata: { name: 'before' } })
  const path = join(server.directory, 'saved')
  const summary = await saveObjects(storeIn('store'), dataDir(), path)
  expect((await server.create(configMaps, { metadata: { name: 'after' } })).code).toBe(201)
  await snapshotRestore({ store: storeIn('elsewhere'), path })
  const copy = await openEmbedded(storeIn('elsewhere'))
  const { entries } = await copy.list('/')
  await copy.close()
  expect(entries).toHaveLength(summary.entries)
  const names = entries.map(({ key }) => key).filter((key) => key.includes('configmaps/default/'))
  expect(names).toContainEqual(expect.stringMatching(/default\/before$/))
  expect(names).not.toContainEqual(expect.stringMatching(/default\/after$/))
})

test('nobody gets it who may not do everything, and what is refused leaves no file', async () => {
  expect((await server.get(snapshotPath, { as: server.nobody })).code).toBe(403)
  expect((await server.request('POST', snapshotPath)).code).toBe(404)
  rmSync(join(dataDir(), 'kubeconfig'))
  const path = join(server.directory, 'saved')
  await expect(saveObjects(storeIn('store'), dataDir(), path)).rejects.toThrow('is in use by process')
  expect(existsSync(path)).toBe(false)
  expect(readdirSync(server.directory).filter((name) => name.includes('saved'))).toEqual([])
})
