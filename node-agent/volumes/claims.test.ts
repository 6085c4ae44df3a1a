import { describe, expect, it } from 'vitest'
import type { PersistentVolumeClaim, PersistentVolumeSpec, Volume } from '../../api/generated/types.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../client/resources.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { boundPod, container } from '../testing/builders.ts'
import { resolveVolume, usedVolumes } from './claims.ts'

const data: Volume = { name: 'data', persistentVolumeClaim: { claimName: 'disk' } }

const pod = (volume: Volume = data) =>
  boundPod({
    spec: {
      volumes: [volume],
      containers: [container('main', { volumeMounts: [{ name: volume.name, mountPath: '/data' }] })],
    },
  })

/** A claim `disk` bound to a persistent volume `pv`, changed by what is given. */
async function world(
  given: {
    claim?: Partial<PersistentVolumeClaim>
    name?: string
    volume?: Partial<PersistentVolumeSpec>
    boundTo?: string
  } = {},
) {
  const api = new MemoryApi()
  const { claim = {}, name = 'disk', volume = {}, boundTo } = given
  const made = await api.create(persistentVolumeClaims, {
    spec: { volumeName: 'pv' },
    status: { phase: 'Bound' },
    ...claim,
    metadata: { name, namespace: 'default', ...claim.metadata },
  })
  const claimRef = { namespace: 'default', name, uid: boundTo ?? made.metadata.uid ?? '' }
  await api.create(persistentVolumes, {
    metadata: { name: 'pv' },
    spec: { hostPath: { path: '/srv' }, claimRef, ...volume },
  })
  return api
}

const use = (volume: Volume = data) => ({ volume, mounted: true, device: false })

describe('a claim', () => {
  it('leads to the volume it is bound to', async () => {
    const spec = await resolveVolume(await world(), pod(), use())
    expect(spec).toMatchObject({ name: 'pv', mode: 'Filesystem', readOnly: false })
    expect(spec.persistent?.volume.spec?.hostPath).toEqual({ path: '/srv' })
  })

  it('is read-only where the pod asks for that', async () => {
    const volume: Volume = { name: 'data', persistentVolumeClaim: { claimName: 'disk', readOnly: true } }
    expect(await resolveVolume(await world(), pod(volume), use(volume))).toMatchObject({ readOnly: true })
  })

  it.each([
    ['is not there', { name: 'other' }, 'failed to fetch PVC from API server: persistentvolumeclaims "disk" not found'],
    ['is not bound', { claim: { status: { phase: 'Pending' } } }, 'PVC is not bound'],
    ['names no volume', { claim: { spec: {} } }, 'PVC has empty pvc.Spec.VolumeName'],
    [
      'is going away',
      { claim: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['example.com/other'] } } },
      'PVC is being deleted',
    ],
    [
      'names a volume that is gone',
      { claim: { spec: { volumeName: 'gone' } } },
      'failed to fetch PV gone from API server: persistentvolumes "gone" not found',
    ],
    [
      'names a volume that is nobody’s',
      { volume: { claimRef: undefined } as object },
      'found PV object pv but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim',
    ],
  ])('that %s says why the pod waits', async (_, given, why) => {
    const resolving = resolveVolume(await world(given), pod(), use())
    await expect(resolving).rejects.toThrow(`error processing PVC default/disk: ${why}`)
  })

  it('does not take a volume that belongs to an earlier claim of its name', async () => {
    const resolving = resolveVolume(await world({ boundTo: 'earlier' }), pod(), use())
    await expect(resolving).rejects.toThrow('pv.Spec.ClaimRef.UID earlier does not point to claim.UID')
  })

  it('that is going away but protected still serves the pod that has it', async () => {
    const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['kubernetes.io/pvc-protection'] }
    expect(await resolveVolume(await world({ claim: { metadata } }), pod(), use())).toMatchObject({ name: 'pv' })
  })

  it('is used in the way that its volume allows', async () => {
    const block = await world({ volume: { volumeMode: 'Block' } })
    await expect(resolveVolume(block, pod(), use())).rejects.toThrow(
      'volume data has volumeMode Block, but is specified in volumeMounts',
    )
    const device = { volume: data, mounted: false, device: true }
    expect(await resolveVolume(block, pod(), device)).toMatchObject({ mode: 'Block' })
    await expect(resolveVolume(await world(), pod(), device)).rejects.toThrow(
      'volume data has volumeMode Filesystem, but is specified in volumeDevices',
    )
  })
})

describe('an ephemeral volume', () => {
  const scratch: Volume = { name: 'scratch', ephemeral: {} }

  it('is the claim that was made for this very pod', async () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'uid-web', controller: true }
    const api = await world({ name: 'web-scratch', claim: { metadata: { ownerReferences: [owner] } } })
    expect(await resolveVolume(api, pod(scratch), use(scratch))).toMatchObject({ name: 'pv' })
  })

  it('is not somebody else’s claim of the same name', async () => {
    const resolving = resolveVolume(await world({ name: 'web-scratch' }), pod(scratch), use(scratch))
    await expect(resolving).rejects.toThrow(
      /^PVC default\/web-scratch was not created for pod default\/web \(pod is not owner\)$/,
    )
  })
})

it('only counts volumes that a container uses', () => {
  const volumes: Volume[] = ['mounted', 'device', 'read', 'idle'].map((name) => ({ name, emptyDir: {} }))
  const main = container('main', {
    volumeMounts: [{ name: 'mounted', mountPath: '/a' }],
    volumeDevices: [{ name: 'device', devicePath: '/dev/a' }],
    env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'read', path: 'env', key: 'A' } } }],
  })
  const used = usedVolumes(boundPod({ spec: { volumes, containers: [main] } }))
  expect(used.map(({ volume, mounted, device }) => [volume.name, mounted, device])).toEqual([
    ['mounted', true, false],
    ['device', false, true],
    ['read', true, false],
  ])
})
