import { afterEach, describe, expect, test } from 'vitest'
import type { VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent } from '../../api/snapshots/types.ts'
import {
  persistentVolumeClaims,
  persistentVolumes,
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../client/resources.ts'
import type { MemoryApi } from '../../client/testing/memory-api.ts'
import { newCsiSnapshotter } from '../csi-snapshotter/controller.ts'
import { type Asked, driverName, playDriver, refusedBy } from '../testing/csi.ts'
import { type Running, run } from '../testing/run.ts'
import { claim, volume } from '../testing/volumes.ts'
import { newSnapshotController } from './controller.ts'

let running: Running
let asked: Asked[]
/** What the driver answers to CreateSnapshot and DeleteSnapshot. */
let create: () => object
let remove: () => object
afterEach(() => running?.stop())

const taken = { snapshotId: 's1', sizeBytes: String(2 ** 30), creationTime: { seconds: '1000', nanos: 0 } }
const onB = {
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'example/node', operator: 'In', values: ['b'] }] }] },
}

/** Both controllers, a driver on two nodes, a default class, and a bound claim whose volume is on node b. */
async function start(prepare: (api: MemoryApi) => Promise<unknown> = async () => {}): Promise<void> {
  create = () => ({ snapshot: { ...taken, readyToUse: true } })
  remove = () => ({})
  running = await run(
    (deps) => [newSnapshotController(deps), newCsiSnapshotter(deps)],
    {},
    async (api) => {
      const methods = {
        ControllerGetCapabilities: () => ({ capabilities: [{ rpc: { type: 'LIST_SNAPSHOTS' } }] }),
        CreateSnapshot: () => create(),
        DeleteSnapshot: () => remove(),
        ListSnapshots: () => ({ entries: [{ snapshot: { ...taken, readyToUse: true } }] }),
      }
      asked = await playDriver(api, methods, { nodeNames: ['a', 'b'] })
      const { metadata } = await api.create(
        persistentVolumeClaims,
        claim({ volume: 'disk', status: { phase: 'Bound' } }),
      )
      const csi = { driver: driverName, volumeHandle: 'id' }
      const spec = { csi, nodeAffinity: onB, volumeMode: 'Filesystem' }
      await api.create(persistentVolumes, volume({ claim: 'data', claimUid: metadata.uid ?? '', phase: 'Bound', spec }))
      await addClass(api, 'plain', { 'snapshot.storage.kubernetes.io/is-default-class': 'true' })
      await prepare(api)
    },
  )
  await running.clock.advance(100)
}
const addClass = (api: MemoryApi, name: string, annotations = {}, driver = driverName, deletionPolicy = 'Delete') =>
  api.create<VolumeSnapshotClass>(volumeSnapshotClasses, {
    metadata: { name, annotations },
    driver,
    deletionPolicy,
    parameters: { speed: 'slow', 'csi.storage.k8s.io/snapshotter-list-secret-name': 'x' },
  })
async function ask(spec: Partial<VolumeSnapshot['spec']> = {}): Promise<void> {
  await running.api.create<VolumeSnapshot>(volumeSnapshots, {
    metadata: { name: 'first', namespace: 'default' },
    spec: { source: { persistentVolumeClaimName: 'data' }, ...spec },
  })
  await running.clock.advance(100)
}
const snapshot = () => running.api.objects(volumeSnapshots)[0]
const content = () => running.api.objects(volumeSnapshotContents)[0]
const calls = () => asked.map(({ node, method }) => `${method} on ${node}`)
const reasons = () => running.told.map(({ reason }) => reason)
const deleteSnapshot = async () => {
  await running.api.delete(volumeSnapshots, { namespace: 'default', name: 'first' })
  await running.clock.advance(100)
}

describe('a snapshot of a claim', () => {
  test('is taken by the node that has the volume, and is ready when its driver says so', async () => {
    await start()
    create = () => ({ snapshot: taken })
    await ask()
    const uid = snapshot()?.metadata.uid ?? ''
    expect(asked.at(-1)).toEqual({
      node: 'b',
      method: 'CreateSnapshot',
      message: { name: `snapshot-${uid}`, sourceVolumeId: 'id', parameters: { speed: 'slow' } },
    })
    expect(content()).toMatchObject({
      metadata: { name: `snapcontent-${uid}`, labels: { 'snapshot.storage.kubernetes.io/managed-by': 'b' } },
      spec: {
        deletionPolicy: 'Delete',
        source: { volumeHandle: 'id' },
        sourceVolumeMode: 'Filesystem',
        volumeSnapshotClassName: 'plain',
        volumeSnapshotRef: { name: 'first', namespace: 'default', uid },
      },
      status: { snapshotHandle: 's1', readyToUse: false, creationTime: 1e12, restoreSize: 2 ** 30 },
    })
    expect(snapshot()?.status).toMatchObject({ readyToUse: false, creationTime: '1970-01-01T00:16:40Z' })
    create = () => ({ snapshot: { ...taken, readyToUse: true } })
    await running.clock.advance(6000)
    expect(snapshot()?.status).toEqual({
      boundVolumeSnapshotContentName: `snapcontent-${uid}`,
      creationTime: '1970-01-01T00:16:40Z',
      readyToUse: true,
      restoreSize: '1Gi',
    })
    expect(reasons()).toEqual(['CreatingSnapshot', 'SnapshotCreated', 'SnapshotReady'])
    const taking = calls().length
    await running.clock.advance(600_000)
    expect(calls()).toHaveLength(taking)
  })

  test('keeps its claim until it is taken, and no longer', async () => {
    await start()
    create = () => {
      throw refusedBy('UNAVAILABLE', 'not now')
    }
    await ask()
    const kept = () => running.api.objects(persistentVolumeClaims)[0]?.metadata.finalizers
    expect(kept()).toEqual(['snapshot.storage.kubernetes.io/pvc-as-source-protection'])
    expect(snapshot()?.status?.error?.message).toContain('code = Unavailable desc = not now')
    expect(content()?.metadata.annotations).toEqual({
      'snapshot.storage.kubernetes.io/volumesnapshot-being-created': 'yes',
    })
    create = () => ({ snapshot: { ...taken, readyToUse: true } })
    await running.clock.advance(10_000)
    expect(snapshot()?.status?.error).toBeUndefined()
    expect(kept()).toEqual([])
    expect(content()?.metadata.annotations ?? {}).toEqual({})
  })

  test('goes with the driver’s own, and not before', async () => {
    await start()
    await ask()
    remove = () => {
      throw refusedBy('INTERNAL', 'busy')
    }
    await deleteSnapshot()
    expect(snapshot()?.metadata.finalizers).toEqual(['snapshot.storage.kubernetes.io/volumesnapshot-bound-protection'])
    remove = () => ({})
    await running.clock.advance(10_000)
    expect(calls().at(-1)).toBe('DeleteSnapshot on b')
    expect([snapshot(), content()]).toEqual([undefined, undefined])
  })

  test('of a class that retains leaves the driver’s own where it is', async () => {
    await start((api) => addClass(api, 'kept', {}, driverName, 'Retain'))
    await ask({ volumeSnapshotClassName: 'kept' })
    await deleteSnapshot()
    await running.clock.advance(10_000)
    expect(snapshot()).toBeUndefined()
    expect(content()?.status?.snapshotHandle).toBe('s1')
    expect(calls()).not.toContain('DeleteSnapshot on b')
  })

  test('stays while a volume is made of it', async () => {
    await start()
    await ask()
    const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'first' }
    await running.api.create(persistentVolumeClaims, claim({ name: 'copy', spec: { dataSource } }))
    await deleteSnapshot()
    expect(snapshot()).toBeDefined()
    expect(reasons().at(-1)).toBe('SnapshotDeletePending')
    running.api.edit(persistentVolumeClaims, { namespace: 'default', name: 'copy' }, (copy) => {
      copy.status = { phase: 'Bound' }
    })
    await running.clock.advance(10_000)
    expect(snapshot()).toBeUndefined()
  })

  test.each([
    ['there is no such class', { volumeSnapshotClassName: 'other' }, 'other" not found'],
    ['the class is of another driver', { volumeSnapshotClassName: 'foreign' }, 'is of the driver e.example'],
    ['the claim is not there', { source: { persistentVolumeClaimName: 'lost' } }, 'the claim "lost" is not there'],
  ])('says that %s', async (_, spec, message) => {
    await start((api) => addClass(api, 'foreign', {}, 'e.example'))
    await ask(spec)
    expect(snapshot()?.status?.error?.message).toContain(message)
    expect(reasons()).toEqual(['SnapshotContentCreationFailed'])
    expect(content()).toBeUndefined()
  })
})

describe('a snapshot that is there', () => {
  const standing = (more: Partial<VolumeSnapshotContent['spec']> = {}) => ({
    metadata: { name: 'old', labels: { 'snapshot.storage.kubernetes.io/managed-by': 'a' } },
    spec: {
      driver: driverName,
      deletionPolicy: 'Retain',
      source: { snapshotHandle: 's1' },
      volumeSnapshotRef: { name: 'first', namespace: 'default' },
      ...more,
    },
  })

  test('is bound and looked up', async () => {
    await start((api) => api.create<VolumeSnapshotContent>(volumeSnapshotContents, standing()))
    await ask({ source: { volumeSnapshotContentName: 'old' } })
    await running.clock.advance(1000)
    expect(content()?.spec.volumeSnapshotRef.uid).toBe(snapshot()?.metadata.uid)
    expect(snapshot()?.status).toMatchObject({ readyToUse: true, restoreSize: '1Gi' })
    expect(calls()).toEqual(['ControllerGetCapabilities on a', 'ListSnapshots on a'])
  })

  test.each([
    ['of somebody else', { volumeSnapshotRef: { name: 'other', namespace: 'default' } }, 'SnapshotContentMisbound'],
    ['taken of a claim', { source: { volumeHandle: 'id' } }, 'SnapshotContentMismatch'],
  ])('is not taken over if it is %s', async (_, more, reason) => {
    await start((api) => api.create<VolumeSnapshotContent>(volumeSnapshotContents, standing(more)))
    await ask({ source: { volumeSnapshotContentName: 'old' } })
    expect(reasons()).toContain(reason)
    expect(snapshot()?.status?.readyToUse).toBe(false)
  })
})
