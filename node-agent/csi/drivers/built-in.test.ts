import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isMountPoint, mountTable } from '../../volumes/mount-points.ts'
import type { CsiDrivers } from '../drivers.ts'
import type { CreateVolumeRequest, Snapshot, Volume, VolumeCapability, VolumeUsage } from '../messages.ts'
import { blockCapability, builtInDrivers, hasLoop, mib, mountCapability, testDirectory } from '../testing/drivers.ts'
import { canGrowMounted } from './ext4.ts'
import { devicesOf } from './loop-devices.ts'

const growsMounted = await canGrowMounted()
const localPath = 'local-path.gantry.dev'
const loop = 'loop.gantry.dev'
const isRoot = process.getuid?.() === 0

let directory: ReturnType<typeof testDirectory>
let drivers: CsiDrivers

beforeEach(async () => {
  directory = testDirectory('drivers')
  drivers = await builtInDrivers(directory.path, { mayMount: isRoot })
})

afterEach(async () => {
  drivers.stop()
  await directory.remove()
})

const call = <T>(driver: string, method: string, request: object = {}) =>
  drivers.call<T>(driver, method, request, { timeoutMs: 30_000 })

async function create(driver: string, given: Partial<CreateVolumeRequest> & { bytes?: number } = {}): Promise<Volume> {
  const { bytes = 16 * mib, ...request } = given
  const { volume } = await call<{ volume: Volume }>(driver, 'CreateVolume', {
    name: 'disk',
    capacityRange: { requiredBytes: String(bytes) },
    volumeCapabilities: [mountCapability()],
    ...request,
  })
  return volume
}

/** Brings a volume to a target as a node does, and answers where it is. */
async function use(
  driver: string,
  volumeId: string,
  { target = 'target', capability = mountCapability() as VolumeCapability, readonly = false, staging = 'staging' } = {},
) {
  const targetPath = join(directory.path, target)
  const stagingTargetPath = join(directory.path, `${staging}-${volumeId}`)
  const request = { volumeId, stagingTargetPath, volumeCapability: capability }
  if (driver === loop) {
    await mkdir(stagingTargetPath, { recursive: true })
    await call(driver, 'NodeStageVolume', request)
  }
  await call(driver, 'NodePublishVolume', { ...request, targetPath, readonly })
  return {
    path: targetPath,
    staging: stagingTargetPath,
    async stop() {
      await call(driver, 'NodeUnpublishVolume', { volumeId, targetPath })
      if (driver === loop) await call(driver, 'NodeUnstageVolume', { volumeId, stagingTargetPath })
    },
  }
}

const imageOf = (id: string) => join(directory.path, 'plugins', loop, 'volumes', id, 'image')

describe.each([localPath, ...(hasLoop ? [loop] : [])])('%s', (driver) => {
  it('says who it is and where its volumes are', async () => {
    expect(await call(driver, 'GetPluginInfo')).toMatchObject({ name: driver })
    expect(await call(driver, 'NodeGetInfo')).toMatchObject({
      nodeId: 'n1',
      accessibleTopology: { segments: { 'topology.gantry.dev/node': 'n1' } },
    })
  })

  it('makes one volume of a name, however often it is asked', async () => {
    const volume = await create(driver)
    expect(volume).toMatchObject({ volumeId: 'disk', capacityBytes: String(16 * mib) })
    expect(await create(driver)).toEqual(volume)
    await expect(create(driver, { bytes: 32 * mib })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  })

  it('refuses what it cannot make, and says why by its code', async () => {
    const many = [mountCapability('MULTI_NODE_MULTI_WRITER')]
    await expect(create(driver, { volumeCapabilities: many })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(create(driver, { bytes: 2 ** 52 })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
    const elsewhere = { requisite: [{ segments: { 'topology.gantry.dev/node': 'n2' } }], preferred: [] }
    await expect(create(driver, { accessibilityRequirements: elsewhere })).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    })
    await expect(create(driver, { capacityRange: { requiredBytes: '1', limitBytes: '2' } })).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
    })
  })

  it('finds no volume outside of its own directory', async () => {
    await expect(call(driver, 'ControllerGetVolume', { volumeId: '../../..' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await call(driver, 'DeleteVolume', { volumeId: '../volumes' })
    expect(await create(driver, { name: 'a/../b' })).toMatchObject({
      volumeId: expect.stringMatching(/^[0-9a-f]{40}$/),
    })
  })

  it('reports what is free', async () => {
    const { availableCapacity } = await call<{ availableCapacity: string }>(driver, 'GetCapacity')
    const { bavail, bsize } = statfsSync(directory.path)
    expect(Math.abs(Number(availableCapacity) - bavail * bsize)).toBeLessThan(1024 * mib)
    const accessibleTopology = { segments: { 'topology.gantry.dev/node': 'n2' } }
    expect(await call(driver, 'GetCapacity', { accessibleTopology })).toMatchObject({ availableCapacity: '0' })
  })

  it.runIf(isRoot)('keeps what was written while nobody uses the volume', async () => {
    const { volumeId } = await create(driver)
    const first = await use(driver, volumeId)
    writeFileSync(join(first.path, 'note'), 'kept')
    await first.stop()
    expect(existsSync(first.path)).toBe(false)
    drivers.stop()
    drivers = await builtInDrivers(directory.path)
    const again = await use(driver, volumeId)
    expect(readFileSync(join(again.path, 'note'), 'utf8')).toBe('kept')
    await again.stop()
    await again.stop()
  })

  it.runIf(isRoot)('is shown once however often it is asked, read-only where that is asked', async () => {
    const { volumeId } = await create(driver)
    const first = await use(driver, volumeId)
    await use(driver, volumeId)
    expect((await mountTable()).filter(({ path }) => path === first.path)).toHaveLength(1)
    const second = await use(driver, volumeId, { target: 'second', readonly: true })
    expect(() => writeFileSync(join(second.path, 'note'), 'x')).toThrow('EROFS')
    writeFileSync(join(first.path, 'note'), 'x')
  })

  it.runIf(isRoot)('is shown to one writer where there may be only one', async () => {
    const capability = mountCapability('SINGLE_NODE_SINGLE_WRITER')
    const { volumeId } = await create(driver, { volumeCapabilities: [capability] })
    const first = await use(driver, volumeId, { capability })
    await use(driver, volumeId, { capability })
    await expect(use(driver, volumeId, { capability, target: 'second' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    })
    await first.stop()
    await use(driver, volumeId, { capability, target: 'second' })
  })

  it.runIf(isRoot)('tells how full the volume is', async () => {
    const { volumeId } = await create(driver)
    const { path } = await use(driver, volumeId)
    const { usage } = await call<{ usage: VolumeUsage[] }>(driver, 'NodeGetVolumeStats', { volumeId, volumePath: path })
    expect(usage.map(({ unit }) => unit)).toEqual(['BYTES', 'INODES'])
    expect(Number(usage[0]?.total)).toBe(statfsSync(path).blocks * statfsSync(path).bsize)
  })

  it('removes a volume with what is in it', async () => {
    const { volumeId } = await create(driver)
    await call(driver, 'DeleteVolume', { volumeId })
    await call(driver, 'DeleteVolume', { volumeId })
    expect(readdirSync(join(directory.path, 'plugins', driver, 'volumes'))).toEqual([])
    expect(await call(driver, 'ListVolumes')).toMatchObject({ entries: [] })
  })

  it('forgets what was half made when it was killed', async () => {
    await create(driver)
    drivers.stop()
    const volumes = join(directory.path, 'plugins', driver, 'volumes')
    await mkdir(join(volumes, '.new-half'))
    await mkdir(join(volumes, '.old-half'))
    drivers = await builtInDrivers(directory.path, { mayMount: isRoot })
    await call(driver, 'Probe')
    expect(readdirSync(volumes)).toEqual(['disk'])
  })
})

describe('a local path', () => {
  it('has snapshots that stay as they were, and volumes made of them', async () => {
    const { volumeId: sourceVolumeId } = await create(localPath)
    const { path } = await use(localPath, sourceVolumeId)
    writeFileSync(join(path, 'file'), 'before')
    const request = { sourceVolumeId, name: 's' }
    const { snapshot } = await call<{ snapshot: Snapshot }>(localPath, 'CreateSnapshot', request)
    writeFileSync(join(path, 'file'), 'after')
    expect(await call(localPath, 'CreateSnapshot', request)).toEqual({ snapshot })

    const { snapshotId } = snapshot
    const made = await create(localPath, { name: 'restored', volumeContentSource: { snapshot: { snapshotId } } })
    const restored = await use(localPath, made.volumeId, { target: 'restored' })
    expect(readFileSync(join(restored.path, 'file'), 'utf8')).toBe('before')
    expect(statSync(restored.path).mode & 0o777).toBe(0o777)
    await call(localPath, 'DeleteSnapshot', { snapshotId })
    expect(await call(localPath, 'ListSnapshots')).toMatchObject({ entries: [] })
    expect(readFileSync(join(restored.path, 'file'), 'utf8')).toBe('before')
  })

  it('is measured by what is in it, not by what else is on its disk', async () => {
    const { volumeId } = await create(localPath)
    const { path } = await use(localPath, volumeId)
    writeFileSync(join(path, 'file'), Buffer.alloc(3 * mib, 'x'))
    const { usage } = await call<{ usage: VolumeUsage[] }>(localPath, 'NodeGetVolumeStats', {
      volumeId,
      volumePath: path,
    })
    const [bytes, inodes] = usage
    expect(Number(bytes?.used)).toBeGreaterThanOrEqual(3 * mib)
    expect(Number(bytes?.used)).toBeLessThan(4 * mib)
    expect(Number(bytes?.available)).toBeGreaterThan(0)
    expect(inodes).toMatchObject({ unit: 'INODES', used: '2' })
  })

  it('is copied with its links as links, wherever they lead', async () => {
    const outside = join(directory.path, 'outside')
    await mkdir(outside)
    const { volumeId } = await create(localPath)
    const { path } = await use(localPath, volumeId)
    symlinkSync(outside, join(path, 'way-out'))
    const made = await create(localPath, { name: 'copy', volumeContentSource: { volume: { volumeId } } })
    const copy = await use(localPath, made.volumeId, { target: 'copy' })
    expect(readlinkSync(join(copy.path, 'way-out'))).toBe(outside)
    const places = readdirSync(join(directory.path, 'plugins', localPath, 'volumes', made.volumeId)).sort()
    expect(places).toEqual(['data', 'record.json'])
  })
})

describe('a local path where nothing may be mounted', () => {
  it('is a link to the directory itself', async () => {
    drivers.stop()
    drivers = await builtInDrivers(directory.path, { mayMount: false })
    const { volumeId } = await create(localPath)
    const { path, stop } = await use(localPath, volumeId)
    writeFileSync(join(path, 'note'), 'here')
    const data = join(directory.path, 'plugins', localPath, 'volumes', volumeId, 'data')
    expect(readFileSync(join(data, 'note'), 'utf8')).toBe('here')
    await stop()
    expect([existsSync(path), existsSync(join(data, 'note'))]).toEqual([false, true])
  })

  it('leaves loop volumes to nodes that may mount', () => {
    expect(drivers.has(loop)).toBe(hasLoop)
  })
})

describe.runIf(hasLoop)('a loop volume', () => {
  it('holds as much as was asked for, and no more', async () => {
    const { volumeId } = await create(loop)
    const { path } = await use(loop, volumeId)
    expect(() => writeFileSync(join(path, 'big'), Buffer.alloc(20 * mib))).toThrow('ENOSPC')
  })

  it('takes no room on the disk for what is not written', async () => {
    const { volumeId } = await create(loop, { bytes: 512 * mib })
    expect(statSync(imageOf(volumeId)).blocks * 512).toBeLessThan(mib)
  })

  it('leaves no device behind when it is no longer used', async () => {
    const { volumeId } = await create(loop)
    const { stop, staging } = await use(loop, volumeId)
    expect(await devicesOf(imageOf(volumeId))).toHaveLength(1)
    await expect(call(loop, 'DeleteVolume', { volumeId })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' })
    await stop()
    expect(await devicesOf(imageOf(volumeId))).toEqual([])
    expect(await isMountPoint(staging)).toBe(false)
    await call(loop, 'DeleteVolume', { volumeId })
  })

  it.runIf(growsMounted)('grows while it is used', async () => {
    const { volumeId } = await create(loop)
    const { path } = await use(loop, volumeId)
    writeFileSync(join(path, 'note'), 'kept')
    const before = statfsSync(path).blocks
    const capacityRange = { requiredBytes: String(64 * mib) }
    const answer = await call(loop, 'ControllerExpandVolume', { volumeId, capacityRange })
    expect(answer).toEqual({ capacityBytes: String(64 * mib), nodeExpansionRequired: true })
    await call(loop, 'NodeExpandVolume', { volumeId, volumePath: path, capacityRange })
    expect(statfsSync(path).blocks).toBeGreaterThan(before * 3)
    expect(readFileSync(join(path, 'note'), 'utf8')).toBe('kept')
    expect(await call(loop, 'ControllerExpandVolume', { volumeId, capacityRange })).toMatchObject({
      nodeExpansionRequired: false,
    })
  })

  it.runIf(!growsMounted)('says why it does not grow while it is used, and grows when it is used anew', async () => {
    const { volumeId } = await create(loop)
    const first = await use(loop, volumeId)
    writeFileSync(join(first.path, 'note'), 'kept')
    const capacityRange = { requiredBytes: String(64 * mib) }
    await call(loop, 'ControllerExpandVolume', { volumeId, capacityRange })
    const growing = call(loop, 'NodeExpandVolume', { volumeId, volumePath: first.path, capacityRange })
    await expect(growing).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' })
    await first.stop()
    const { path } = await use(loop, volumeId)
    expect(statfsSync(path).blocks * statfsSync(path).bsize).toBeGreaterThan(48 * mib)
    expect(readFileSync(join(path, 'note'), 'utf8')).toBe('kept')
    await call(loop, 'NodeExpandVolume', { volumeId, volumePath: path, capacityRange })
  })

  it('that has grown while nobody used it is as large when it is used', async () => {
    const { volumeId } = await create(loop)
    await (await use(loop, volumeId)).stop()
    await call(loop, 'ControllerExpandVolume', { volumeId, capacityRange: { requiredBytes: String(64 * mib) } })
    const { path } = await use(loop, volumeId)
    expect(statfsSync(path).blocks * statfsSync(path).bsize).toBeGreaterThan(48 * mib)
  })

  it('can be handed out as a device', async () => {
    const { volumeId } = await create(loop, { volumeCapabilities: [blockCapability] })
    const first = await use(loop, volumeId, { capability: blockCapability })
    expect(statSync(first.path).isBlockDevice()).toBe(true)
    writeFileSync(first.path, 'raw bytes', { flag: 'r+' })
    await first.stop()
    expect(await devicesOf(imageOf(volumeId))).toEqual([])
    expect(readFileSync(imageOf(volumeId)).subarray(0, 9).toString()).toBe('raw bytes')
  })

  it('has snapshots that stay as they were, and volumes made of them', async () => {
    const { volumeId } = await create(loop)
    const used = await use(loop, volumeId)
    writeFileSync(join(used.path, 'note'), 'then')
    const request = { sourceVolumeId: volumeId, name: 'snap' }
    const { snapshot } = await call<{ snapshot: Snapshot }>(loop, 'CreateSnapshot', request)
    expect(snapshot).toMatchObject({ readyToUse: true, sizeBytes: String(16 * mib), sourceVolumeId: volumeId })
    expect(await call(loop, 'CreateSnapshot', request)).toEqual({ snapshot })
    writeFileSync(join(used.path, 'note'), 'now')
    const copy = await create(loop, {
      name: 'copy',
      bytes: 32 * mib,
      volumeContentSource: { snapshot: { snapshotId: snapshot.snapshotId } },
    })
    const restored = await use(loop, copy.volumeId, { target: 'copy' })
    expect(readFileSync(join(restored.path, 'note'), 'utf8')).toBe('then')
    expect(statfsSync(restored.path).blocks * statfsSync(restored.path).bsize).toBeGreaterThan(24 * mib)
    expect(await call(loop, 'ListSnapshots')).toMatchObject({ entries: [{ snapshot }] })
    await call(loop, 'DeleteSnapshot', { snapshotId: snapshot.snapshotId })
    await call(loop, 'DeleteSnapshot', { snapshotId: snapshot.snapshotId })
  })

  it('can be copied while it is used', async () => {
    const { volumeId } = await create(loop)
    const used = await use(loop, volumeId)
    writeFileSync(join(used.path, 'note'), 'then')
    const clone = await create(loop, { name: 'clone', volumeContentSource: { volume: { volumeId } } })
    const copied = await use(loop, clone.volumeId, { target: 'clone' })
    expect(readFileSync(join(copied.path, 'note'), 'utf8')).toBe('then')
    // Nothing has been left standing still.
    writeFileSync(join(used.path, 'note'), 'now')
  })
})
