import { describe, expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/generated/types.ts'
import { FakeClock } from '../../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../../client/testing/memory-api.ts'
import type { Live } from '../../../client/types.ts'
import type { Cache } from '../../cache/cache.ts'
import type { World } from '../../framework/world.ts'
import type { PodParts } from '../../testing/builders.ts'
import { tryPlugin } from '../../testing/try-plugin.ts'
import { newVolumeBinding } from './volume-binding.ts'

const make = (cache: Cache, world: World) => {
  const clock = new FakeClock()
  return newVolumeBinding({
    api: new MemoryApi({ clock }),
    cache,
    clock,
    world,
    stopping: new AbortController().signal,
  })
}
const nodes = [
  { name: 'a', labels: { zone: 'x' } },
  { name: 'b', labels: { zone: 'y' } },
]
const uses = (claimName: string): PodParts => ({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] })
const claim = (parts: Partial<Live<PersistentVolumeClaim>> = {}): Live<PersistentVolumeClaim> => ({
  metadata: { name: 'data', namespace: 'default', annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
  spec: { volumeName: 'disk' },
  ...parts,
})
const volume = (zone?: string): Live<PersistentVolume> => ({
  metadata: { name: 'disk' },
  spec: zone
    ? {
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }] },
        },
      }
    : {},
})
const world = (standing?: Live<PersistentVolumeClaim>, disk?: Live<PersistentVolume>): Partial<World> => ({
  claim: () => standing,
  volume: () => disk,
  storageClass: (name) => ({ metadata: { name }, provisioner: 'p', volumeBindingMode: name }),
})
const late = (name: string, provisioner: string) => ({
  metadata: { name },
  provisioner,
  volumeBindingMode: 'WaitForFirstConsumer',
})
const unbound = (storageClassName: string) =>
  claim({ metadata: { name: 'data', namespace: 'default' }, spec: { storageClassName } })

describe('a pod with a claim', () => {
  test.each<[string, Partial<World>, object | string]>([
    [
      'goes where its volume is',
      world(claim(), volume('y')),
      { a: "node(s) didn't match PersistentVolume's node affinity", b: 'fits' },
    ],
    ['goes anywhere with a volume that is everywhere', world(claim(), volume()), { a: 'fits', b: 'fits' }],
    ['goes nowhere without the claim', world(), 'persistentvolumeclaim "data" not found'],
    [
      'waits for the claim to be bound',
      world(unbound('Immediate')),
      'pod has unbound immediate PersistentVolumeClaims',
    ],
    [
      'finds no volume for a claim that waits for it where nobody makes one',
      { ...world(unbound('WaitForFirstConsumer')), storageClass: (name) => late(name, 'kubernetes.io/no-provisioner') },
      {
        a: "node(s) didn't find available persistent volumes to bind",
        b: "node(s) didn't find available persistent volumes to bind",
      },
    ],
    [
      'goes nowhere without the volume',
      world(claim()),
      {
        a: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
        b: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
      },
    ],
    [
      'goes nowhere once the volume is lost',
      world(claim({ status: { phase: 'Lost' } })),
      'persistentvolumeclaim "data" bound to non-existent persistentvolume "disk"',
    ],
    [
      'goes nowhere while the claim goes',
      world(claim({ metadata: { name: 'data', deletionTimestamp: 'now' } })),
      'persistentvolumeclaim "data" is being deleted',
    ],
  ])('%s', (_what, there, expected) => {
    expect(tryPlugin(make, { nodes, world: there }).verdicts(uses('data'))).toEqual(expected)
  })

  test('is worth another try when the claim changes, and not when another does', () => {
    const { isWorthATry } = tryPlugin(make)
    const changed = (name: string, namespace = 'default') => ({ object: { after: { metadata: { name, namespace } } } })
    expect(isWorthATry(uses('data'), 'PersistentVolumeClaim/Update', changed('data'))).toBe(true)
    expect(isWorthATry(uses('data'), 'PersistentVolumeClaim/Update', changed('other'))).toBe(false)
    expect(isWorthATry(uses('data'), 'PersistentVolumeClaim/Update', changed('data', 'other'))).toBe(false)
  })
})

describe('a pod with a claim made for it alone', () => {
  const parts: PodParts = { uid: 'me', volumes: [{ name: 'scratch', ephemeral: {} }] }
  const ownedBy = (uid: string) =>
    claim({
      metadata: {
        name: 'pod-scratch',
        namespace: 'default',
        annotations: { 'pv.kubernetes.io/bind-completed': 'yes' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'pod', uid, controller: true }],
      },
    })

  test.each<[string, Partial<World>, object | string]>([
    [
      'waits until it is made',
      world(),
      'waiting for ephemeral volume controller to create the persistentvolumeclaim "pod-scratch"',
    ],
    [
      'does not take another’s',
      world(ownedBy('you'), volume()),
      'PVC default/pod-scratch was not created for pod default/pod (pod is not owner)',
    ],
    ['uses it', world(ownedBy('me'), volume()), { a: 'fits', b: 'fits' }],
  ])('%s', (_what, there, expected) => {
    expect(tryPlugin(make, { nodes, world: there }).verdicts(parts)).toEqual(expected)
  })
})

test('a pod without claims goes anywhere', () => {
  const parts: PodParts = { volumes: [{ name: 'tmp', emptyDir: {} }] }
  expect(tryPlugin(make, { nodes }).verdicts(parts)).toEqual({ a: 'fits', b: 'fits' })
})
