import { afterEach, describe, expect, test } from 'vitest'
import type { Secret, VolumeAttributesClass } from '../../api/generated/types.ts'
import {
  csiDrivers,
  csiStorageCapacities,
  persistentVolumeClaims,
  persistentVolumes,
  secrets,
  storageClasses,
  volumeAttributesClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../client/resources.ts'
import type { MemoryApi } from '../../client/testing/memory-api.ts'
import { type Asked, driverName, playDriver, refusedBy } from '../testing/csi.ts'
import { type Running, run } from '../testing/run.ts'
import { contentOf, snapshotOf } from '../testing/snapshots.ts'
import { claim, storageClass, volume } from '../testing/volumes.ts'
import { newCsiProvisioner } from './controller.ts'
import { planDelete } from './delete.ts'

let running: Running
let asked: Asked[]
afterEach(() => running?.stop())

const made = ({ name }: Record<string, unknown>, node: string) => ({
  volume: {
    volumeId: `id-${name}`,
    capacityBytes: '2147483648',
    volumeContext: { a: 'b' },
    accessibleTopology: [{ segments: { 'example/node': node } }],
  },
})
const asking = { 'volume.kubernetes.io/storage-provisioner': driverName }
const chosen = { ...asking, 'volume.kubernetes.io/selected-node': 'b' }

async function start(
  methods: Parameters<typeof playDriver>[1],
  prepare: (api: MemoryApi) => Promise<unknown> = async () => {},
  options: Parameters<typeof playDriver>[2] = { nodeNames: ['a', 'b'] },
) {
  running = await run(newCsiProvisioner, {}, async (api) => {
    asked = await playDriver(api, methods, options)
    const late = { volumeBindingMode: 'WaitForFirstConsumer', allowVolumeExpansion: true }
    const parameters = { 'csi.storage.k8s.io/fstype': 'ext4', kind: 'x' }
    await api.create(storageClasses, storageClass('late', { provisioner: driverName, parameters, ...late }))
    await api.create(storageClasses, storageClass('now', { provisioner: driverName, reclaimPolicy: 'Retain' }))
    await prepare(api)
  })
  await running.clock.advance(100)
}
const addClaim = (facts: Parameters<typeof claim>[0]) => running.api.create(persistentVolumeClaims, claim(facts))
const volumes = () => running.api.objects(persistentVolumes)
const reasons = () => running.told.map(({ reason }) => reason)

describe('a volume', () => {
  test('is made where the claim’s pod goes, and described by what the driver says', async () => {
    await start({ CreateVolume: made })
    await addClaim({ storageClass: 'late', annotations: asking })
    await running.clock.advance(100)
    expect(asked).toEqual([])
    const { metadata } = await addClaim({ name: 'chosen', storageClass: 'late', annotations: chosen })
    await running.clock.advance(100)
    const name = `pvc-${metadata.uid}`
    const topologies = [{ segments: { 'example/node': 'b' } }]
    expect(asked).toEqual([
      {
        node: 'b',
        method: 'CreateVolume',
        message: {
          name,
          capacityRange: { requiredBytes: '1073741824' },
          volumeCapabilities: [{ mount: { fsType: 'ext4' }, accessMode: { mode: 'SINGLE_NODE_WRITER' } }],
          parameters: { kind: 'x' },
          accessibilityRequirements: { requisite: topologies, preferred: topologies },
        },
      },
    ])
    expect(volumes()).toMatchObject([
      {
        metadata: {
          name,
          annotations: { 'pv.kubernetes.io/provisioned-by': driverName, 'pv.kubernetes.io/bound-by-controller': 'yes' },
          finalizers: ['external-provisioner.volume.kubernetes.io/finalizer'],
        },
        spec: {
          capacity: { storage: '2Gi' },
          accessModes: ['ReadWriteOnce'],
          claimRef: { name: 'chosen', namespace: 'default', uid: metadata.uid },
          storageClassName: 'late',
          persistentVolumeReclaimPolicy: 'Delete',
          csi: { driver: driverName, volumeHandle: `id-${name}`, fsType: 'ext4', volumeAttributes: { a: 'b' } },
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'example/node', operator: 'In', values: ['b'] }] }],
            },
          },
        },
      },
    ])
    expect(reasons()).toEqual(['Provisioning', 'ProvisioningSucceeded'])
  })

  test('is made once, though nobody hears that it was', async () => {
    let deaf = true
    await start({
      CreateVolume: (message, node) => {
        if (deaf) throw refusedBy('DEADLINE_EXCEEDED')
        return made(message, node)
      },
    })
    await addClaim({ storageClass: 'now', annotations: asking })
    await running.clock.advance(100)
    deaf = false
    await running.clock.advance(1000)
    expect(new Set(asked.map(({ message }) => message.name)).size).toBe(1)
    expect(volumes()).toHaveLength(1)
    expect(volumes()[0]?.metadata.finalizers).toBeUndefined()
    expect(reasons()).toEqual(['Provisioning', 'ProvisioningFailed', 'Provisioning', 'ProvisioningSucceeded'])
  })

  test('that does not fit on the chosen node is to be made on another', async () => {
    await start({
      CreateVolume: () => {
        throw refusedBy('RESOURCE_EXHAUSTED', 'full')
      },
    })
    await addClaim({ storageClass: 'late', annotations: chosen })
    await running.clock.advance(100)
    const [standing] = running.api.objects(persistentVolumeClaims)
    expect(standing?.metadata.annotations).toEqual(asking)
    expect(running.told[1]?.message).toBe(
      'failed to provision volume with StorageClass "late": rpc error: code = ResourceExhausted desc = full',
    )
  })

  test('that may be anywhere is tried on one node after the other', async () => {
    await start({
      CreateVolume: (message, node) => {
        if (node === 'a') throw refusedBy('RESOURCE_EXHAUSTED')
        return made(message, node)
      },
    })
    await addClaim({ storageClass: 'now', annotations: asking })
    await running.clock.advance(2000)
    expect(asked.map(({ node }) => node)).toEqual(['a', 'b'])
    expect(volumes()).toHaveLength(1)
  })

  test('is copied where the volume to copy is', async () => {
    const there = {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'example/node', operator: 'In', values: ['b'] }] }],
      },
    }
    await start({ CreateVolume: made }, async (api) => {
      const { metadata } = await api.create(
        persistentVolumeClaims,
        claim({ name: 'old', volume: 'disk', status: { phase: 'Bound' } }),
      )
      const csi = { driver: driverName, volumeHandle: 'id-old' }
      await api.create(
        persistentVolumes,
        volume({ claim: 'old', claimUid: metadata.uid ?? '', phase: 'Bound', spec: { csi, nodeAffinity: there } }),
      )
    })
    const dataSource = { kind: 'PersistentVolumeClaim', name: 'old' }
    await addClaim({ storageClass: 'now', annotations: asking, spec: { dataSource } })
    await running.clock.advance(100)
    expect(asked).toMatchObject([{ node: 'b', message: { volumeContentSource: { volume: { volumeId: 'id-old' } } } }])
  })

  test('is made of a snapshot once that is ready, on the node that has it', async () => {
    await start({ CreateVolume: made }, async (api) => {
      const snapshot = snapshotOf('data-1', 'content')
      const { metadata } = await api.create(volumeSnapshots, snapshot)
      await api.create(volumeSnapshotContents, contentOf('content', metadata.uid ?? '', 'a'))
    })
    const apiGroup = 'snapshot.storage.k8s.io'
    const spec = { dataSource: { apiGroup, kind: 'VolumeSnapshot', name: 'data-1' } }
    await addClaim({ storageClass: 'late', annotations: chosen, spec })
    await running.clock.advance(100)
    expect(asked).toEqual([])
    expect(running.told.at(-1)?.message).toContain('snapshot data-1 is not Ready')
    running.api.edit(volumeSnapshots, { namespace: 'default', name: 'data-1' }, ({ status }) => {
      if (status) status.readyToUse = true
    })
    await running.clock.advance(3000)
    // The scheduler has chosen another node: it is told, and chooses again.
    const { annotations } = running.api.objects(persistentVolumeClaims)[0]?.metadata ?? {}
    expect(annotations).toEqual({ ...asking, 'gantry.dev/source-node': 'a' })
    running.api.edit(persistentVolumeClaims, { namespace: 'default', name: 'data' }, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, 'volume.kubernetes.io/selected-node': 'a' }
    })
    await running.clock.advance(10_000)
    expect(asked).toMatchObject([{ node: 'a', message: { volumeContentSource: { snapshot: { snapshotId: 's1' } } } }])
  })

  test.each([
    ['smaller than the snapshot', { size: '1Mi' }, {}, 'is less than the size'],
    ['of another mode', { spec: { volumeMode: 'Block' } }, {}, 'modifies the mode of the source volume'],
    ['of another driver', {}, { driver: 'e.example' }, 'is of the driver e.example'],
  ])('is not made of a snapshot if it were %s', async (_, facts, of, message) => {
    await start({ CreateVolume: made }, async (api) => {
      const { metadata } = await api.create(volumeSnapshots, snapshotOf('data-1', 'content', true))
      const content = contentOf('content', metadata.uid ?? '', 'a')
      await api.create(volumeSnapshotContents, { ...content, spec: { ...content.spec, ...of } })
    })
    const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'data-1' }
    const spec = { dataSource, ...('spec' in facts ? facts.spec : {}) }
    await addClaim({ ...facts, storageClass: 'now', annotations: asking, spec })
    await running.clock.advance(100)
    expect(asked).toEqual([])
    expect(running.told.at(-1)?.message).toContain(message)
  })

  test('is made with the attributes that its claim names', async () => {
    const ControllerGetCapabilities = () => ({ capabilities: [{ rpc: { type: 'MODIFY_VOLUME' } }] })
    await start({ CreateVolume: made, ControllerGetCapabilities }, (api) =>
      api.create<VolumeAttributesClass>(volumeAttributesClasses, {
        metadata: { name: 'gold' },
        driverName,
        parameters: { iops: '5000' },
      }),
    )
    await addClaim({ storageClass: 'now', annotations: asking, spec: { volumeAttributesClassName: 'gold' } })
    await running.clock.advance(100)
    expect(asked.at(-1)).toMatchObject({ method: 'CreateVolume', message: { mutableParameters: { iops: '5000' } } })
    expect(volumes()[0]?.spec?.volumeAttributesClassName).toBe('gold')
  })

  test('is made and deleted with the secrets that its class names', async () => {
    await start({ CreateVolume: made, DeleteVolume: () => ({}) }, async (api) => {
      const secret = (name: string) => [
        [`csi.storage.k8s.io/${name}-secret-name`, name],
        [`csi.storage.k8s.io/${name}-secret-namespace`, 'storage'],
      ]
      const roles = ['provisioner', 'node-stage', 'node-publish', 'controller-expand', 'controller-publish']
      const parameters = Object.fromEntries(roles.flatMap(secret))
      await api.create(storageClasses, storageClass('kept', { provisioner: driverName, parameters }))
      const data = { key: Buffer.from('open').toString('base64') }
      await api.create<Secret>(secrets, { metadata: { name: 'provisioner', namespace: 'storage' }, data })
    })
    await addClaim({ storageClass: 'kept', annotations: asking })
    await running.clock.advance(100)
    expect(asked.at(-1)?.message).toMatchObject({ parameters: {}, secrets: { key: 'open' } })
    const name = volumes()[0]?.metadata.name ?? ''
    expect(volumes()[0]?.spec?.csi).toMatchObject({
      nodeStageSecretRef: { name: 'node-stage', namespace: 'storage' },
      nodePublishSecretRef: { name: 'node-publish', namespace: 'storage' },
      controllerExpandSecretRef: { name: 'controller-expand', namespace: 'storage' },
      controllerPublishSecretRef: { name: 'controller-publish', namespace: 'storage' },
    })
    await running.api.delete(storageClasses, { name: 'kept' })
    running.api.edit(persistentVolumes, { name }, (volume) => {
      volume.status = { phase: 'Released' }
    })
    await running.clock.advance(100)
    expect(asked.at(-1)).toMatchObject({ method: 'DeleteVolume', message: { secrets: { key: 'open' } } })
    expect(volumes()).toEqual([])
  })

  test('that is smaller than was asked for is taken back, and said', async () => {
    await start({
      CreateVolume: ({ name }) => ({ volume: { volumeId: `id-${name}`, capacityBytes: '1048576' } }),
      DeleteVolume: () => ({}),
    })
    const { metadata } = await addClaim({ storageClass: 'now', annotations: asking })
    await running.clock.advance(100)
    expect(asked.at(-1)).toEqual({
      node: 'a',
      method: 'DeleteVolume',
      message: { volumeId: `id-pvc-${metadata.uid}` },
    })
    expect(volumes()).toEqual([])
    expect(running.told.at(-1)?.message).toContain(
      'created volume capacity 1048576 less than requested capacity 1073741824',
    )
  })

  test('is not made by a class with a reserved parameter that nobody knows', async () => {
    const parameters = { 'csi.storage.k8s.io/secret': 'x' }
    await start({ CreateVolume: made }, (api) =>
      api.create(storageClasses, storageClass('odd', { provisioner: driverName, parameters })),
    )
    await addClaim({ storageClass: 'odd', annotations: asking })
    await running.clock.advance(100)
    expect(asked).toEqual([])
    expect(running.told.at(-1)?.message).toContain(
      'found unknown parameter key "csi.storage.k8s.io/secret" with reserved namespace csi.storage.k8s.io/',
    )
  })

  test('of a driver that brings its own controllers is left to them', async () => {
    await start({ CreateVolume: made })
    running.api.edit(csiDrivers, { name: driverName }, ({ metadata }) => {
      delete metadata.annotations
    })
    await addClaim({ storageClass: 'now', annotations: asking })
    await running.clock.advance(100)
    expect(asked).toEqual([])
  })
})

describe('a volume whose claim has gone', () => {
  const ours = (facts: Parameters<typeof volume>[0]) =>
    volume({
      claim: 'data',
      claimUid: 'x',
      phase: 'Released',
      policy: 'Delete',
      annotations: { 'pv.kubernetes.io/provisioned-by': driverName },
      spec: { csi: { driver: driverName, volumeHandle: 'id' } },
      metadata: { finalizers: ['external-provisioner.volume.kubernetes.io/finalizer'] },
      ...facts,
    })

  test('is deleted by the driver, then its object', async () => {
    let fails = true
    await start(
      {
        DeleteVolume: () => {
          if (fails) throw refusedBy('INTERNAL', 'busy')
          return {}
        },
      },
      (api) => api.create(persistentVolumes, ours({})),
    )
    expect(running.told).toMatchObject([
      {
        about: 'PersistentVolume/disk',
        reason: 'VolumeFailedDelete',
        message: 'rpc error: code = Internal desc = busy',
      },
    ])
    expect(volumes()).toHaveLength(1)
    fails = false
    await running.clock.advance(2000)
    expect(asked.at(-1)).toEqual({ node: 'a', method: 'DeleteVolume', message: { volumeId: 'id' } })
    expect(volumes()).toEqual([])
  })

  test.each([
    ['nothing', { phase: 'Bound' }, false],
    ['delete', {}, false],
    ['nothing', {}, true],
    ['let-go', { policy: 'Retain' }, false],
  ] as const)('needs %s when it is %j and attached: %s', (expected, facts, isAttached) => {
    expect(planDelete(ours(facts), isAttached)).toBe(expected)
  })
})

describe('what is left on nodes', () => {
  const spec = { storageCapacity: true }
  const GetCapacity = () => ({ availableCapacity: '1073741824', maximumVolumeSize: { value: '1048576' } })
  const reports = () => running.api.objects(csiStorageCapacities)

  test('is asked for as long as a claim of the class has no volume, and not before', async () => {
    await start({ GetCapacity }, undefined, { nodeNames: ['a', 'b'], spec })
    await running.clock.advance(120_000)
    expect(asked).toEqual([])
    await addClaim({ storageClass: 'late' })
    await running.clock.advance(100)
    expect(asked.map(({ node }) => node)).toEqual(['a', 'b'])
    expect(reports()).toMatchObject([
      {
        storageClassName: 'late',
        nodeTopology: { matchLabels: { 'example/node': 'a' } },
        capacity: '1Gi',
        maximumVolumeSize: '1Mi',
      },
      { storageClassName: 'late', nodeTopology: { matchLabels: { 'example/node': 'b' } }, capacity: '1Gi' },
    ])
    await running.clock.advance(60_000)
    expect(asked).toHaveLength(4)
    await running.api.delete(persistentVolumeClaims, { namespace: 'default', name: 'data' })
    await running.clock.advance(120_000)
    expect(asked).toHaveLength(4)
  })

  test('is forgotten with the class', async () => {
    await start({ GetCapacity }, (api) => api.create(persistentVolumeClaims, claim({ storageClass: 'late' })), { spec })
    expect(reports()).toHaveLength(1)
    await running.api.delete(storageClasses, { name: 'late' })
    await running.clock.advance(100)
    expect(reports()).toEqual([])
  })
})
