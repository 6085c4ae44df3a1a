import { describe, expect, it } from 'vitest'
import type { PersistentVolumeSpec, Volume } from '../../api/generated/types.ts'
import { boundPod } from '../testing/builders.ts'
import {
  attachmentNameOf,
  type CsiVolume,
  capabilityFor,
  checkLifecycle,
  csiVolumeOf,
  ownedByGroup,
  podAttributes,
  uniqueNameOf,
} from './csi-volume.ts'
import type { VolumeSpec } from './types.ts'

const csi = { driver: 'csi.test.example', volumeHandle: 'vol-1' }

const persistent = (spec: Partial<PersistentVolumeSpec> = {}, more: Partial<VolumeSpec> = {}): VolumeSpec => ({
  name: 'pv',
  volume: { name: 'data', persistentVolumeClaim: { claimName: 'disk' } },
  mode: 'Filesystem',
  readOnly: false,
  persistent: { volume: { metadata: { name: 'pv' }, spec: { csi, ...spec } }, claim: { metadata: { name: 'disk' } } },
  ...more,
})

const inline = (source: Volume['csi']): VolumeSpec => ({
  name: 'scratch',
  volume: { name: 'scratch', csi: source as NonNullable<Volume['csi']> },
  mode: 'Filesystem',
  readOnly: false,
})

const volume = (more: Partial<CsiVolume> = {}): CsiVolume => ({
  driver: 'csi.test.example',
  handle: 'vol-1',
  lifecycle: 'Persistent',
  block: false,
  readOnly: false,
  fsType: 'ext4',
  mountFlags: [],
  accessMode: 'ReadWriteOnce',
  attributes: {},
  ...more,
})

const can = (...names: string[]): ReadonlySet<string> => new Set(names)

describe('what is read of a volume', () => {
  it('is what its persistent volume says', () => {
    const secret = { name: 's', namespace: 'storage' }
    const source = { ...csi, fsType: 'ext4', volumeAttributes: { a: '1' }, nodeStageSecretRef: secret }
    const spec = persistent({ csi: source, accessModes: ['ReadWriteMany'], mountOptions: ['noatime'] })
    expect(csiVolumeOf(spec, boundPod())).toEqual(
      volume({ accessMode: 'ReadWriteMany', mountFlags: ['noatime'], attributes: { a: '1' }, stageSecret: secret }),
    )
  })

  it.each([
    ['the claim is used so', persistent({}, { readOnly: true })],
    ['the volume is so', persistent({ csi: { ...csi, readOnly: true } })],
    ['the pod asks for it', inline({ driver: 'd', readOnly: true })],
  ])('is read-only where %s', (_, spec) => {
    expect(csiVolumeOf(spec, boundPod())).toMatchObject({ readOnly: true })
  })

  it('of the pod itself belongs to this pod alone', () => {
    const spec = inline({ driver: 'd', nodePublishSecretRef: { name: 's' } })
    const [first, second] = ['one', 'two'].map((uid) => csiVolumeOf(spec, boundPod({ uid })))
    expect(first).toMatchObject({ lifecycle: 'Ephemeral', publishSecret: { name: 's', namespace: 'default' } })
    expect(first?.handle).toMatch(/^csi-[0-9a-f]{64}$/)
    expect(first?.handle).not.toBe(second?.handle)
  })

  it('is nothing where it is of another kind', () => {
    const other = { ...inline({ driver: 'd' }), volume: { name: 'scratch', emptyDir: {} } }
    expect(csiVolumeOf(other, boundPod())).toBeUndefined()
  })
})

it.each([
  ['ReadWriteOnce', [], 'SINGLE_NODE_WRITER'],
  ['ReadWriteOnce', ['SINGLE_NODE_MULTI_WRITER'], 'SINGLE_NODE_MULTI_WRITER'],
  ['ReadWriteOncePod', [], 'SINGLE_NODE_WRITER'],
  ['ReadWriteOncePod', ['SINGLE_NODE_MULTI_WRITER'], 'SINGLE_NODE_SINGLE_WRITER'],
  ['ReadOnlyMany', [], 'MULTI_NODE_READER_ONLY'],
  ['ReadWriteMany', [], 'MULTI_NODE_MULTI_WRITER'],
])('%s is told to a driver that can %j as %s', (accessMode, capabilities, mode) => {
  expect(capabilityFor(volume({ accessMode }), can(...capabilities), undefined).accessMode).toEqual({ mode })
})

it('leaves the group to a driver that sets it while mounting', () => {
  const { mount } = capabilityFor(volume(), can('VOLUME_MOUNT_GROUP'), 1000)
  expect(mount).toMatchObject({ volumeMountGroup: '1000' })
  expect(capabilityFor(volume(), can(), 1000).mount).not.toHaveProperty('volumeMountGroup')
  expect(capabilityFor(volume({ block: true }), can('VOLUME_MOUNT_GROUP'), 1000)).toMatchObject({ block: {} })
})

it.each<[string | undefined, Partial<CsiVolume>, boolean]>([
  [undefined, {}, true],
  [undefined, { fsType: '' }, false],
  [undefined, { accessMode: 'ReadWriteMany' }, false],
  [undefined, { accessMode: 'ReadWriteOncePod' }, true],
  ['ReadWriteOnceWithFSType', {}, true],
  ['File', { fsType: '', accessMode: 'ReadWriteMany' }, true],
  ['File', { readOnly: true }, false],
  ['File', { block: true }, false],
  ['None', {}, false],
])('with the policy %s and %j, files are given to the group: %s', (fsGroupPolicy, more, given) => {
  expect(ownedByGroup(volume(more), fsGroupPolicy === undefined ? {} : { fsGroupPolicy })).toBe(given)
})

it('refuses a volume that lives in a way that the driver does not offer', () => {
  expect(() => checkLifecycle(volume({ lifecycle: 'Ephemeral' }), {})).toThrow(
    'volume mode "Ephemeral" not supported by driver csi.test.example (only supports ["Persistent"])',
  )
  checkLifecycle(volume({ lifecycle: 'Ephemeral' }), { volumeLifecycleModes: ['Persistent', 'Ephemeral'] })
  checkLifecycle(volume(), {})
})

it('names things as upstream does', () => {
  expect(uniqueNameOf(volume())).toBe('kubernetes.io/csi/csi.test.example^vol-1')
  // sha256 of "vol-1csi.test.examplen1".
  expect(attachmentNameOf(volume(), 'n1')).toBe('csi-ccb9e37836af94ad9fd9dd0f2ca1cb48ee764ba00df5e28d47d91ceb89ff8e1c')
  expect(podAttributes(boundPod({ spec: { serviceAccountName: 'app' } }), 'Ephemeral')).toEqual({
    'csi.storage.k8s.io/pod.name': 'web',
    'csi.storage.k8s.io/pod.namespace': 'default',
    'csi.storage.k8s.io/pod.uid': 'uid-web',
    'csi.storage.k8s.io/serviceAccount.name': 'app',
    'csi.storage.k8s.io/ephemeral': 'true',
  })
})
