import { existsSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { mayMount, persistentSpec, VolumeRig } from '../testing/volumes.ts'
import { nfs } from './nfs.ts'

let rig: VolumeRig

beforeEach(() => {
  rig = new VolumeRig()
})

afterEach(() => rig.close())

it('is what a pod or a persistent volume names', () => {
  const source = { server: 'files.example.com', path: '/srv' }
  expect(nfs.handles(persistentSpec('pv', { nfs: source }))).toBe(true)
  const volume = { name: 'data', nfs: source }
  expect(nfs.handles({ name: 'data', volume, mode: 'Filesystem', readOnly: false })).toBe(true)
  expect(nfs.handles(persistentSpec('pv', { hostPath: { path: '/srv' } }))).toBe(false)
})

it.runIf(mayMount && !existsSync('/sbin/mount.nfs'))('says what a node lacks', async () => {
  const spec = persistentSpec('pv', { nfs: { server: '127.0.0.1', path: '/srv' } })
  await expect(nfs.mount(spec, rig.contextFor(nfs, spec))).rejects.toThrow(
    'mount.nfs is not installed on this node (package nfs-common)',
  )
})
