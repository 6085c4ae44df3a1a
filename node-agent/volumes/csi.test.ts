import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../client/clock.ts'
import { persistentVolumeClaims, volumeAttachments } from '../../client/resources.ts'
import { testDirectory } from '../csi/testing/drivers.ts'
import { TestDriver, type TestDriverOptions } from '../csi/testing/test-driver.ts'
import { VolumesRig } from '../csi/testing/volumes-rig.ts'
import { boundPod, container } from '../testing/builders.ts'
import { attachmentNameOf, csiVolumeOf } from './csi-volume.ts'
import { mountPointsBelow } from './mount-points.ts'

const isRoot = process.getuid?.() === 0

let directory: ReturnType<typeof testDirectory>
let rig: VolumesRig
let driver: TestDriver

beforeEach(async () => {
  directory = testDirectory('csi')
  await begin()
})

afterEach(async () => {
  await end()
  await directory.remove()
})

async function begin(options: Partial<TestDriverOptions> = {}): Promise<void> {
  driver = await TestDriver.start({ directory: join(directory.path, 'driver'), ...options })
  rig = new VolumesRig({ directory: directory.path, clock: systemClock, mayMount: options.mounts ?? false })
}

async function end(): Promise<void> {
  rig.close()
  driver.stop()
}

/** Starts over with another driver. */
async function instead(options: Partial<TestDriverOptions>): Promise<void> {
  await end()
  await begin(options)
}

const podsDirectory = () => join(directory.path, 'pods')

describe('a volume of a claim', () => {
  it('is staged, published and shown to the pod', async () => {
    await rig.add(driver)
    const spec = await rig.claim(driver.name, { csi: { fsType: 'ext4', volumeAttributes: { a: '1' } } })
    const mounted = await rig.mount(spec)
    expect(driver.methods()).toEqual(['NodeGetCapabilities', 'NodeStageVolume', 'NodePublishVolume'])
    expect(driver.last('NodePublishVolume')).toMatchObject({
      volumeId: 'vol-1',
      volumeContext: { a: '1' },
      readonly: false,
      targetPath: join(podsDirectory(), 'uid-web/volumes/kubernetes.io~csi/pv-disk/mount'),
      stagingTargetPath: expect.stringMatching(
        /plugins\/kubernetes\.io\/csi\/csi\.test\.example\/[0-9a-f]{64}\/globalmount$/,
      ),
      volumeCapability: { mount: { fsType: 'ext4' }, accessMode: { mode: 'SINGLE_NODE_WRITER' } },
    })
    writeFileSync(join(mounted.hostPath, 'note'), 'kept')
    expect(readFileSync(join(directory.path, 'driver/volumes/vol-1/note'), 'utf8')).toBe('kept')
  })

  it('is taken back by an agent that has never seen the pod', async () => {
    await rig.add(driver)
    const spec = await rig.claim(driver.name)
    await rig.mount(spec)
    await rig.restart()
    await rig.unmount(spec)
    expect(driver.methods().slice(-2)).toEqual(['NodeUnpublishVolume', 'NodeUnstageVolume'])
    expect(existsSync(join(podsDirectory(), 'uid-web/volumes/kubernetes.io~csi/pv-disk/vol_data.json'))).toBe(false)
    expect(readdirSync(join(directory.path, 'plugins/kubernetes.io/csi', driver.name))).toEqual([])
    await rig.unmount(spec)
    expect(driver.count('NodeUnpublishVolume')).toBe(1)
  })

  it('is staged once for two pods, and unstaged after the last', async () => {
    await rig.add(driver)
    const spec = await rig.claim(driver.name)
    const [one, two] = [boundPod({ name: 'one' }), boundPod({ name: 'two' })]
    await Promise.all([rig.mount(spec, one), rig.mount(spec, two)])
    expect([driver.count('NodeStageVolume'), driver.count('NodePublishVolume')]).toEqual([1, 2])
    await rig.unmount(spec, one)
    expect(driver.count('NodeUnstageVolume')).toBe(0)
    await rig.unmount(spec, two)
    expect(driver.count('NodeUnstageVolume')).toBe(1)
  })

  it('is not staged where the driver does not stage', async () => {
    await instead({ nodeCapabilities: [] })
    await rig.add(driver)
    const spec = await rig.claim(driver.name)
    await rig.mount(spec)
    await rig.unmount(spec)
    expect(driver.methods()).toEqual(['NodeGetCapabilities', 'NodePublishVolume', 'NodeUnpublishVolume'])
  })

  it('waits until it is attached, and passes on what the attachment says', async () => {
    await rig.add(driver, { attachRequired: true })
    const spec = await rig.claim(driver.name)
    const volume = csiVolumeOf(spec, boundPod())
    const name = volume ? attachmentNameOf(volume, 'n1') : ''
    const mounting = rig.mount(spec)
    await rig.api.create(volumeAttachments, {
      metadata: { name },
      spec: { attacher: driver.name, nodeName: 'n1', source: { persistentVolumeName: 'pv-disk' } },
      status: { attached: false },
    })
    expect(driver.count('NodeStageVolume')).toBe(0)
    const status = { attached: true, attachmentMetadata: { device: '/dev/x' } }
    await rig.api.patch(volumeAttachments, { name }, { type: 'merge', body: { status } }, { subresource: 'status' })
    await mounting
    expect(driver.last('NodeStageVolume')).toMatchObject({ publishContext: { device: '/dev/x' } })
    expect(driver.last('NodePublishVolume')).toMatchObject({ publishContext: { device: '/dev/x' } })
    expect(rig.volumes.volumesInUse()).toEqual([`kubernetes.io/csi/${driver.name}^vol-1`])
    await rig.restart()
    expect(rig.volumes.volumesInUse()).toEqual([`kubernetes.io/csi/${driver.name}^vol-1`])
    await rig.unmount(spec)
    expect(rig.volumes.volumesInUse()).toEqual([])
  })

  it('waits for nothing when the pod is taken away', async () => {
    await rig.add(driver, { attachRequired: true })
    const gone = new AbortController()
    const mounting = rig.mount(await rig.claim(driver.name), boundPod(), gone.signal)
    gone.abort(new Error('the pod is taken away'))
    await expect(mounting).rejects.toThrow('the pod is taken away')
  })

  it('comes with the secrets that it names', async () => {
    await rig.add(driver)
    rig.secrets.set('storage/stage', { user: 'a' })
    rig.secrets.set('storage/publish', { user: 'b' })
    const ref = (name: string) => ({ name, namespace: 'storage' })
    const csi = { nodeStageSecretRef: ref('stage'), nodePublishSecretRef: ref('publish') }
    await rig.mount(await rig.claim(driver.name, { csi }))
    expect(driver.last('NodeStageVolume')).toMatchObject({ secrets: { user: 'a' } })
    expect(driver.last('NodePublishVolume')).toMatchObject({ secrets: { user: 'b' } })
    const missing = await rig.claim(driver.name, {
      name: 'other',
      handle: 'vol-2',
      csi: { nodeStageSecretRef: ref('none') },
    })
    await expect(rig.mount(missing)).rejects.toThrow('failed to get secret storage/none')
  })

  it('tells the driver of the pod and gives it tokens, where it asks for that', async () => {
    const spec = { attachRequired: false, podInfoOnMount: true, tokenRequests: [{ audience: 'vault' }] }
    await rig.add(driver, spec)
    await rig.mount(await rig.claim(driver.name))
    const { volumeContext = {} } = driver.last('NodePublishVolume')
    expect(volumeContext).toMatchObject({
      'csi.storage.k8s.io/pod.name': 'web',
      'csi.storage.k8s.io/ephemeral': 'false',
    })
    expect(JSON.parse(volumeContext['csi.storage.k8s.io/serviceAccount.tokens'] ?? '')).toEqual({
      vault: { token: 'token-vault', expirationTimestamp: '2026-01-01T00:00:00Z' },
    })
    expect(driver.last('NodeStageVolume').volumeContext).toEqual({})
  })

  it('has tokens among the secrets where the driver wants them there', async () => {
    const tokenRequests = [{ audience: 'vault' }]
    await rig.add(driver, { attachRequired: false, tokenRequests, serviceAccountTokenInSecrets: true })
    await rig.mount(await rig.claim(driver.name))
    const { secrets = {}, volumeContext } = driver.last('NodePublishVolume')
    expect(Object.keys(secrets)).toEqual(['csi.storage.k8s.io/serviceAccount.tokens'])
    expect(volumeContext).toEqual({})
  })

  it('is published again and again for a driver that asks for it, and not staged again', async () => {
    await rig.add(driver, { attachRequired: false, requiresRepublish: true })
    const spec = await rig.claim(driver.name)
    const { refreshAt } = await rig.mount(spec)
    expect(refreshAt).toBeGreaterThan(Date.now())
    expect(await rig.refresh(spec)).toBeGreaterThan(Date.now())
    expect([driver.count('NodeStageVolume'), driver.count('NodePublishVolume')]).toEqual([1, 2])
  })

  it('belongs to the group of the pod', async () => {
    await rig.add(driver, { attachRequired: false, fsGroupPolicy: 'File' })
    const group = process.getgid?.() ?? 0
    const pod = boundPod({ spec: { securityContext: { fsGroup: group }, containers: [container('main')] } })
    mkdirSync(join(directory.path, 'driver/volumes/vol-1'), { recursive: true, mode: 0o700 })
    const { hostPath, ownedByPod } = await rig.mount(await rig.claim(driver.name), pod)
    expect(ownedByPod).toBe(true)
    expect(statSync(hostPath).mode & 0o2770).toBe(0o2770)
  })

  it('is given to the group by a driver that can', async () => {
    await instead({ nodeCapabilities: ['STAGE_UNSTAGE_VOLUME', 'VOLUME_MOUNT_GROUP'] })
    await rig.add(driver, { attachRequired: false, fsGroupPolicy: 'File' })
    const pod = boundPod({ spec: { securityContext: { fsGroup: 4242 }, containers: [container('main')] } })
    const { hostPath } = await rig.mount(await rig.claim(driver.name), pod)
    expect(driver.last('NodeStageVolume')).toMatchObject({ volumeCapability: { mount: { volumeMountGroup: '4242' } } })
    expect(statSync(hostPath).gid).not.toBe(4242)
  })

  it('that is a device is shown where upstream shows it', async () => {
    await rig.add(driver)
    const spec = await rig.claim(driver.name, { pv: { volumeMode: 'Block' } })
    const { hostPath } = await rig.mount(spec)
    expect(hostPath).toBe(join(directory.path, 'plugins/kubernetes.io/csi/volumeDevices/publish/pv-disk/uid-web'))
    expect(driver.last('NodePublishVolume')).toMatchObject({ volumeCapability: { block: {} } })
    await rig.unmount(spec)
    expect(driver.methods().slice(-2)).toEqual(['NodeUnpublishVolume', 'NodeUnstageVolume'])
  })
})

describe('a volume of the pod itself', () => {
  it('is published and never staged', async () => {
    await rig.add(driver, { volumeLifecycleModes: ['Ephemeral'], podInfoOnMount: true })
    const spec = rig.inline(driver.name, { volumeAttributes: { size: '1' } })
    await rig.mount(spec)
    await rig.restart()
    await rig.unmount(spec)
    expect(driver.methods()).toEqual(['NodeGetCapabilities', 'NodePublishVolume', 'NodeUnpublishVolume'])
    expect(driver.last('NodePublishVolume')).toMatchObject({
      stagingTargetPath: '',
      volumeContext: { size: '1', 'csi.storage.k8s.io/ephemeral': 'true' },
    })
  })

  it('is refused by a driver that does not offer it', async () => {
    await rig.add(driver)
    await expect(rig.mount(rig.inline(driver.name))).rejects.toThrow('volume mode "Ephemeral" not supported by driver')
  })
})

describe('a volume that grows', () => {
  const grown = { pv: { capacity: { storage: '2Gi' } } }
  const conditions = [
    { type: 'FileSystemResizePending', status: 'True' },
    { type: 'Other', status: 'True' },
  ]
  const status = { phase: 'Bound', capacity: { storage: '1Gi' }, conditions }

  it('grows on the node, and its claim says so', async () => {
    await instead({ nodeCapabilities: ['STAGE_UNSTAGE_VOLUME', 'EXPAND_VOLUME'] })
    await rig.add(driver)
    await rig.mount(await rig.claim(driver.name, { ...grown, status }))
    expect(driver.last('NodeExpandVolume')).toMatchObject({
      volumeId: 'vol-1',
      capacityRange: { requiredBytes: String(2 * 2 ** 30) },
    })
    const claim = await rig.api.get(persistentVolumeClaims, { namespace: 'default', name: 'disk' })
    expect(claim.status).toMatchObject({ capacity: { storage: '2Gi' }, conditions: [{ type: 'Other' }] })
    expect(rig.told).toMatchObject([{ type: 'Normal', reason: 'FileSystemResizeSuccessful' }])
    await rig.refresh(await rig.spec())
    expect(driver.count('NodeExpandVolume')).toBe(1)
  })

  it('that cannot is told of, and the pod has it as it is', async () => {
    await instead({ nodeCapabilities: ['EXPAND_VOLUME'] })
    await rig.add(driver)
    driver.faults.set('NodeExpandVolume', { code: 'OUT_OF_RANGE', why: 'too large' })
    await rig.mount(await rig.claim(driver.name, { ...grown, status }))
    expect(rig.told).toMatchObject([
      { type: 'Warning', reason: 'VolumeResizeFailed', message: expect.stringContaining('too large') },
    ])
    const claim = await rig.api.get(persistentVolumeClaims, { namespace: 'default', name: 'disk' })
    expect(claim.status).toMatchObject({
      capacity: { storage: '1Gi' },
      allocatedResourceStatuses: { storage: 'NodeResizeInfeasible' },
    })
    driver.faults.clear()
    await rig.refresh(await rig.spec())
    const after = await rig.api.get(persistentVolumeClaims, { namespace: 'default', name: 'disk' })
    expect(after.status?.capacity).toEqual({ storage: '2Gi' })
  })

  it('has its pods looked at soon after a controller has made it larger', async () => {
    await rig.add(driver)
    await rig.mount(await rig.claim(driver.name))
    const following = rig.volumes.expanded(driver.name, 'vol-1')
    await vi.waitFor(() => expect(rig.refreshed).toContain('uid-web'), { timeout: 5000 })
    rig.close()
    await expect(following).rejects.toThrow()
  })
})

describe('a driver that misbehaves', () => {
  it('says why in its own words', async () => {
    await rig.add(driver)
    driver.faults.set('NodeStageVolume', { code: 'INTERNAL', why: 'the disk is on fire' })
    await expect(rig.mount(await rig.claim(driver.name))).rejects.toMatchObject({
      step: 'MountVolume.MountDevice',
      message: 'rpc error: code = Internal desc = the disk is on fire',
    })
  })

  it('and is not registered at all is named', async () => {
    rig.drivers.settle()
    const mounting = rig.mount(await rig.claim('none.example', { csi: {} }), boundPod())
    await rig.api.create(volumeAttachments, {
      metadata: { name: attachmentNameOf({ driver: 'none.example', handle: 'vol-1' } as never, 'n1') },
      spec: { attacher: 'none.example', nodeName: 'n1', source: {} },
      status: { attached: true },
    })
    await expect(mounting).rejects.toThrow('driver name none.example not found in the list of registered CSI drivers')
  })

  it('and hangs keeps no other volume waiting, nor its own pod from ending', async () => {
    await rig.add(driver)
    driver.faults.set('NodeStageVolume', 'hang')
    const spec = await rig.claim(driver.name)
    const gone = new AbortController()
    const hanging = rig.mount(spec, boundPod(), gone.signal)
    await vi.waitFor(() => expect(driver.count('NodeStageVolume')).toBe(1))
    const other = await TestDriver.start({ directory: join(directory.path, 'other'), name: 'other.example' })
    await rig.add(other)
    await rig.mount(await rig.claim(other.name, { name: 'other', handle: 'vol-2' }), boundPod({ name: 'other' }))
    other.stop()
    gone.abort(new Error('the pod is taken away'))
    await expect(hanging).rejects.toThrow('Cancelled')
    await rig.unmount(spec)
    expect(driver.methods().slice(-2)).toEqual(['NodeUnpublishVolume', 'NodeUnstageVolume'])
  })

  it('and loses its answers is asked again', async () => {
    await rig.add(driver)
    const spec = await rig.claim(driver.name)
    for (const method of ['NodeStageVolume', 'NodePublishVolume']) {
      driver.faults.set(method, 'lose')
      await expect(rig.mount(spec)).rejects.toThrow('the answer was lost')
      driver.faults.clear()
    }
    await rig.mount(spec)
    for (const method of ['NodeUnpublishVolume', 'NodeUnstageVolume']) {
      driver.faults.set(method, 'lose')
      await expect(rig.unmount(spec)).rejects.toThrow('the answer was lost')
      driver.faults.clear()
    }
    await rig.unmount(spec)
    expect(await mountPointsBelow(directory.path)).toEqual([])
  })

  it.runIf(isRoot)('and lies about taking a volume back leaves nothing mounted', async () => {
    await instead({ mounts: true })
    await rig.add(driver)
    const spec = await rig.claim(driver.name)
    const { hostPath } = await rig.mount(spec)
    writeFileSync(join(hostPath, 'note'), 'kept')
    driver.faults.set('NodeUnpublishVolume', 'lie')
    driver.faults.set('NodeUnstageVolume', 'lie')
    await rig.unmount(spec)
    expect(await mountPointsBelow(directory.path)).toEqual([])
    expect(readFileSync(join(directory.path, 'driver/volumes/vol-1/note'), 'utf8')).toBe('kept')
  })
})
