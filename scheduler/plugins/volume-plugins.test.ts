import { describe, expect, test } from 'vitest'
import type { CSINode, PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { Cache } from '../cache/cache.ts'
import type { World } from '../framework/world.ts'
import type { PodParts } from '../testing/builders.ts'
import { podEvent, tryPlugin } from '../testing/try-plugin.ts'
import { newNodeVolumeLimits } from './node-volume-limits.ts'
import { newVolumeRestrictions } from './volume-restrictions.ts'
import { newVolumeZone } from './volume-zone.ts'

const uses = (...claims: string[]): PodParts => ({
  volumes: claims.map((claimName, i) => ({ name: `v${i}`, persistentVolumeClaim: { claimName } })),
})
const claim = (name: string, spec: PersistentVolumeClaim['spec'] = { volumeName: name }) => ({
  metadata: { name, namespace: 'default' },
  spec,
})
const claims =
  (...all: Live<PersistentVolumeClaim>[]): World['claim'] =>
  (_, name) =>
    all.find(({ metadata }) => metadata.name === name)

describe('a claim for one pod alone', () => {
  const taken =
    'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod'
  const world = { claim: claims(claim('mine', { accessModes: ['ReadWriteOncePod'] }), claim('any')) }
  const scene = { nodes: [{ name: 'a' }, { name: 'b' }], world }

  test('keeps a second pod from every node', () => {
    const pods = [{ name: 'first', node: 'a', ...uses('mine', 'any') }]
    const { verdicts, code } = tryPlugin(newVolumeRestrictions, { ...scene, pods })
    expect(verdicts(uses('mine'))).toEqual({ a: taken, b: taken })
    expect(code(uses('mine'))).toBe('Unschedulable')
    expect(verdicts(uses('any'))).toEqual({ a: 'fits', b: 'fits' })
    expect(verdicts({ ...uses('mine'), namespace: 'other' })).toEqual({ a: 'fits', b: 'fits' })
  })

  test('is for the next when its pod has gone', () => {
    const { isWorthATry } = tryPlugin(newVolumeRestrictions, scene)
    expect(isWorthATry(uses('mine'), 'Pod/Delete', podEvent(undefined, { ...uses('mine'), node: 'a' }))).toBe(true)
    expect(isWorthATry(uses('mine'), 'Pod/Delete', podEvent(undefined, { ...uses('any'), node: 'a' }))).toBe(false)
  })
})

test('a disk has one writer on a node', () => {
  const disk = (readOnly: boolean): PodParts => ({
    volumes: [{ name: 'd', iscsi: { iqn: 'iqn', targetPortal: 't', lun: 0, readOnly } }],
  })
  const pods = [{ name: 'first', node: 'a', ...disk(true) }]
  const { verdicts } = tryPlugin(newVolumeRestrictions, { nodes: [{ name: 'a' }, { name: 'b' }], pods })
  expect(verdicts(disk(true))).toEqual({ a: 'fits', b: 'fits' })
  expect(verdicts(disk(false))).toEqual({ a: 'node(s) had no available disk', b: 'fits' })
})

test('a pod goes into one of the zones that the labels of its volume name', () => {
  const zone = 'topology.kubernetes.io/zone'
  const disk: Live<PersistentVolume> = { metadata: { name: 'disk', labels: { [zone]: 'x__y' } } }
  const nodes = ['x', 'y', 'z'].map((value) => ({ name: value, labels: { [zone]: value } }))
  const make = (_: Cache, world: World) => newVolumeZone(world)
  const world = { claim: claims(claim('disk'), claim('none', {})), volume: () => disk }
  const { verdicts } = tryPlugin(make, { nodes: [...nodes, { name: 'nowhere' }], world })
  expect(verdicts(uses('disk'))).toEqual({
    x: 'fits',
    y: 'fits',
    z: 'node(s) had no available volume zone',
    nowhere: 'fits',
  })
  expect(verdicts(uses('none'))).toBe('PersistentVolumeClaim had no pv name and storageClass name')
})

describe('a node that takes two volumes of a driver', () => {
  const csi = (volumeHandle: string, driver = 'd.example'): Live<PersistentVolume> => ({
    metadata: { name: volumeHandle },
    spec: { csi: { driver, volumeHandle } },
  })
  const csiNode = (count?: number): Live<CSINode> => ({
    metadata: { name: 'a' },
    spec: { drivers: [{ name: 'd.example', nodeID: 'a', ...(count ? { allocatable: { count } } : {}) }] },
  })
  const volumes = [csi('one'), csi('two'), csi('three'), csi('other', 'e.example')]
  const world: Partial<World> = {
    claim: claims(...volumes.map(({ metadata }) => claim(metadata.name)), claim('new', { storageClassName: 'd' })),
    volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
    storageClass: (name) => ({ metadata: { name }, provisioner: 'd.example' }),
    csiNode: (name) => (name === 'a' ? csiNode(2) : undefined),
  }
  const make = (_: Cache, there: World) => newNodeVolumeLimits(there)
  const full = 'node(s) exceed max volume count'
  const nodes = [{ name: 'a' }, { name: 'b' }]

  test.each<[string, string[], string[], string]>([
    ['takes a second', ['one'], ['two'], 'fits'],
    ['takes no third', ['one', 'two'], ['three'], full],
    ['takes another pod that uses what is there', ['one', 'two'], ['two'], 'fits'],
    ['takes those of another driver', ['one', 'two'], ['other'], 'fits'],
    ['counts one that is to be made', ['one', 'two'], ['new'], full],
    ['counts all of one pod', [], ['one', 'two', 'three'], full],
  ])('%s', (_what, there, wanted, expected) => {
    const { verdicts } = tryPlugin(make, { nodes, world, pods: [{ name: 'first', node: 'a', ...uses(...there) }] })
    expect(verdicts(uses(...wanted))).toEqual({ a: expected, b: 'fits' })
  })

  test('counts what is still attached', () => {
    const attached = (persistentVolumeName: string) => ({
      metadata: { name: persistentVolumeName },
      spec: { attacher: 'd.example', nodeName: 'a', source: { persistentVolumeName } },
    })
    const attachmentsOn = (node: string) => (node === 'a' ? [attached('one'), attached('two')] : [])
    const { verdicts } = tryPlugin(make, { nodes, world: { ...world, attachmentsOn } })
    expect(verdicts(uses('three'))).toEqual({ a: full, b: 'fits' })
    // Upstream counts a volume that is attached and comes with the pod twice, until a pod there uses it.
    expect(verdicts(uses('two'))).toEqual({ a: full, b: 'fits' })
    const there = tryPlugin(make, { nodes, world: { ...world, attachmentsOn }, pods: [{ node: 'a', ...uses('two') }] })
    expect(there.verdicts(uses('two'))).toEqual({ a: 'fits', b: 'fits' })
  })

  test('is worth a try when it takes more', () => {
    const { isWorthATry } = tryPlugin(make, { world })
    const update = (before: number, after: number) => ({ object: { before: csiNode(before), after: csiNode(after) } })
    expect(isWorthATry(uses('one'), 'CSINode/Update', update(2, 3))).toBe(true)
    expect(isWorthATry(uses('one'), 'CSINode/Update', update(3, 2))).toBe(false)
  })
})
