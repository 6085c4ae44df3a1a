import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PersistentVolumeSpec } from '../../api/generated/types.ts'
import { boundPod } from '../testing/builders.ts'
import { mayMount, persistentSpec, VolumeRig } from '../testing/volumes.ts'
import { local } from './local.ts'
import { isMountPoint } from './mount-points.ts'

let rig: VolumeRig

beforeEach(() => {
  rig = new VolumeRig()
})

afterEach(() => rig.close())

const volume = (path: string, more: PersistentVolumeSpec & { fsType?: string } = {}) => {
  const { fsType, ...spec } = more
  return persistentSpec('pv', { local: { path, ...(fsType ? { fsType } : {}) }, ...spec })
}

const pod = (uid: string, fsGroup?: number) =>
  boundPod({ uid, ...(fsGroup === undefined ? {} : { spec: { securityContext: { fsGroup } } }) })

it('is said to be missing where its path is', async () => {
  const spec = volume('/no/such')
  await expect(local.mount(spec, rig.contextFor(local, spec))).rejects.toMatchObject({
    step: 'MountVolume.NewMounter initialization',
    message: 'path "/no/such" does not exist',
  })
})

describe.runIf(mayMount)('a directory', () => {
  it('is bound into each pod, and stays when they go', async () => {
    const source = join(rig.directory, 'source')
    mkdirSync(source)
    const spec = volume(source)
    const [one, two] = ['one', 'two'].map((uid) => rig.contextFor(local, spec, pod(uid)))
    const mounted = await local.mount(spec, one!)
    await local.mount(spec, two!)
    // Asked again, as after a restart.
    await local.mount(spec, one!)
    writeFileSync(join(mounted.hostPath, 'file'), 'kept')
    expect(readFileSync(join(two!.directory, 'file'), 'utf8')).toBe('kept')
    await local.unmount?.(one!)
    expect(await isMountPoint(one!.directory)).toBe(false)
    expect(await isMountPoint(two!.directory)).toBe(true)
    await local.unmount?.(two!)
    expect(readFileSync(join(source, 'file'), 'utf8')).toBe('kept')
  })

  it('is given to the group of its first pod, and another group is warned', async () => {
    const source = join(rig.directory, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'file'), '', { mode: 0o600 })
    const spec = volume(source)
    await local.mount(spec, rig.contextFor(local, spec, pod('one', 2000)))
    expect(statSync(source).gid).toBe(2000)
    expect((statSync(join(source, 'file')).mode & 0o777).toString(8)).toBe('660')
    await local.mount(spec, rig.contextFor(local, spec, pod('two', 3000)))
    expect(statSync(source).gid).toBe(2000)
    expect(rig.warnings).toEqual([
      'AlreadyMountedVolume: The requested fsGroup is 3000, but the volume pv has GID 2000. The volume may not be shareable.',
    ])
  })
})

describe.runIf(mayMount)('a disk', () => {
  it('is formatted when it is empty, mounted once, and let go by the last pod', async () => {
    const spec = volume(rig.disk())
    const [one, two] = ['one', 'two'].map((uid) => rig.contextFor(local, spec, pod(uid)))
    const { hostPath } = await local.mount(spec, one!)
    writeFileSync(join(hostPath, 'file'), 'kept')
    await local.mount(spec, two!)
    expect(readFileSync(join(two!.directory, 'file'), 'utf8')).toBe('kept')
    const shared = join(rig.directory, 'plugins/kubernetes.io/local-volume/mounts/pv')
    await local.unmount?.(one!)
    expect(await isMountPoint(shared)).toBe(true)
    await local.unmount?.(two!)
    expect(existsSync(shared)).toBe(false)
    // What is on it is still there for the next pod.
    await local.mount(spec, one!)
    expect(readFileSync(join(hostPath, 'file'), 'utf8')).toBe('kept')
  })

  it('that holds something else is not overwritten', async () => {
    const device = rig.disk()
    execFileSync('mkfs.ext4', ['-q', device])
    const spec = volume(device, { fsType: 'ext2' })
    await expect(local.mount(spec, rig.contextFor(local, spec))).rejects.toMatchObject({
      step: 'MountVolume.MountDevice',
      message: expect.stringContaining('it already contains ext4'),
    })
    const again = volume(device)
    const { hostPath } = await local.mount(again, rig.contextFor(local, again))
    expect(readdirSync(hostPath)).toEqual(['lost+found'])
  })

  it('is given as it is where the pod wants a device', async () => {
    const device = rig.disk()
    const spec = volume(device, { volumeMode: 'Block' })
    expect(await local.mount(spec, rig.contextFor(local, spec))).toMatchObject({ hostPath: device })
    const file = volume(join(rig.directory, 'disk-0.img'), { volumeMode: 'Block' })
    await expect(local.mount(file, rig.contextFor(local, file))).rejects.toThrow('is not a block device')
  })
})
