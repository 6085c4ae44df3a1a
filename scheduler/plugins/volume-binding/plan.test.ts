import { describe, expect, test } from 'vitest'
import type {
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../../api/generated/types.ts'
import type { Live } from '../../../client/types.ts'
import { type PodClaims, planNode, type VolumeSurroundings } from './plan.ts'

const here = { name: 'here', labels: { zone: 'x' } }
const claim = (name: string, size: string, annotations = {}): Live<PersistentVolumeClaim> => ({
  metadata: { name, namespace: 'default', uid: name, annotations },
  spec: { storageClassName: 'late', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } } },
})
const inZone = (zone: string) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }] },
})
const volume = (name: string, size: string, zone = 'x'): Live<PersistentVolume> => ({
  metadata: { name },
  spec: {
    storageClassName: 'late',
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: size },
    nodeAffinity: inZone(zone),
  },
  status: { phase: 'Available' },
})
const late = (parts: Partial<StorageClass> = {}): Live<StorageClass> => ({
  provisioner: 'p.example',
  volumeBindingMode: 'WaitForFirstConsumer',
  ...parts,
  ...{ metadata: { name: 'late' } },
})
const around = (volumes: Live<PersistentVolume>[], parts: Partial<VolumeSurroundings> = {}): VolumeSurroundings => ({
  volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
  volumesOfClass: () => volumes,
  storageClass: () => late(),
  csiDriver: () => undefined,
  storageCapacities: () => [],
  ...parts,
})
/** What is done for each claim, in one line. */
function planned(claims: Partial<PodClaims>, among: VolumeSurroundings): string {
  const plan = planNode({ bound: [], late: [], ...claims }, here, among)
  if (typeof plan === 'string') return plan
  return [
    ...plan.bindings.map(({ claim: of, volume: to }) => `${of.metadata.name}=${to.metadata.name}`),
    ...plan.provisions.map(({ metadata }) => `make ${metadata.name}`),
  ].join(' ')
}

describe('a claim that waits for its pod', () => {
  test('takes the smallest volume that the node reaches, and each takes its own', () => {
    const volumes = [volume('far', '1Gi', 'y'), volume('large', '9Gi'), volume('small', '2Gi')]
    expect(planned({ late: [claim('a', '1Gi')] }, around(volumes))).toBe('a=small')
    expect(planned({ late: [claim('a', '1Gi'), claim('b', '1Gi')] }, around(volumes))).toBe('a=small b=large')
    const three = [claim('a', '1Gi'), claim('b', '1Gi'), claim('c', '1Gi')]
    expect(planned({ late: three }, around(volumes))).toBe('a=small b=large make c')
  })

  test('goes on where a volume is being made for it, and nowhere else', () => {
    const chosen = (node: string) => [claim('a', '1Gi', { 'volume.kubernetes.io/selected-node': node })]
    expect(planned({ late: chosen('here') }, around([volume('free', '1Gi')]))).toBe('make a')
    expect(planned({ late: chosen('there') }, around([volume('free', '1Gi')]))).toBe('noVolume')
    const copied = (node: string) => [claim('a', '1Gi', { 'gantry.dev/source-node': node })]
    expect(planned({ late: copied('here') }, around([volume('free', '1Gi')]))).toBe('make a')
    expect(planned({ late: copied('there') }, around([volume('free', '1Gi')]))).toBe('noVolume')
  })

  test.each<[string, Partial<StorageClass>, string]>([
    ['has one made', {}, 'make a'],
    ['has none made of a class for volumes of people', { provisioner: 'kubernetes.io/no-provisioner' }, 'noVolume'],
    [
      'has one made in the topology of its class',
      { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['y', 'x'] }] }] },
      'make a',
    ],
    [
      'has none made outside of it',
      { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['y'] }] }] },
      'noVolume',
    ],
  ])('%s', (_what, parts, expected) => {
    expect(planned({ late: [claim('a', '1Gi')] }, around([], { storageClass: () => late(parts) }))).toBe(expected)
  })

  const report = (parts: Partial<CSIStorageCapacity>): Live<CSIStorageCapacity> => ({
    nodeTopology: { matchLabels: { zone: 'x' } },
    ...{ storageClassName: 'late' },
    ...parts,
    ...{ metadata: { name: 'r' } },
  })
  test.each<[string, boolean, Partial<CSIStorageCapacity> | undefined, string]>([
    ['nothing is known', false, undefined, 'make a'],
    ['nothing is reported', true, undefined, 'noSpace'],
    ['enough is left', true, { capacity: '1Gi' }, 'make a'],
    ['too little is left', true, { capacity: '1023Mi' }, 'noSpace'],
    ['no single volume can be so large', true, { capacity: '9Gi', maximumVolumeSize: '1Mi' }, 'noSpace'],
    ['enough is left, of another class', true, { capacity: '9Gi', storageClassName: 'other' }, 'noSpace'],
    ['enough is left, elsewhere', true, { capacity: '9Gi', nodeTopology: { matchLabels: { zone: 'y' } } }, 'noSpace'],
    ['enough is left, and nobody can reach it', true, { capacity: '9Gi', nodeTopology: undefined as never }, 'noSpace'],
  ])('where %s (the driver reports: %s)', (_what, storageCapacity, parts, expected) => {
    const driver = { metadata: { name: 'p.example' }, spec: { storageCapacity } }
    const reports = parts ? [report(parts)] : []
    const among = around([], { csiDriver: () => driver, storageCapacities: () => reports })
    expect(planned({ late: [claim('a', '1Gi')] }, among)).toBe(expected)
  })
})

test('a bound claim keeps the pod where its volume is', () => {
  const bound = (volumeName: string) => [{ ...claim('a', '1Gi'), spec: { volumeName } }]
  const volumes = [volume('near', '1Gi'), volume('far', '1Gi', 'y')]
  expect(planned({ bound: bound('near') }, around(volumes))).toBe('')
  expect(planned({ bound: bound('far') }, around(volumes))).toBe('elsewhere')
  expect(planned({ bound: bound('gone') }, around(volumes))).toBe('lost')
})
