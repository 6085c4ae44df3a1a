import { describe, expect, test } from 'vitest'
import { claim, storageClass, volume } from '../testing/volumes.ts'
import { type ClaimSurroundings, planClaim } from './claim.ts'

const classes = [
  storageClass('fast'),
  storageClass('late', { volumeBindingMode: 'WaitForFirstConsumer' }),
  storageClass('by-hand', { provisioner: 'kubernetes.io/no-provisioner' }),
]
const around = (volumes: ReturnType<typeof volume>[], more: Partial<ClaimSurroundings> = {}): ClaimSurroundings => ({
  volumes: () => volumes,
  volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
  storageClass: (name) => classes.find(({ metadata }) => metadata.name === name),
  defaultClass: () => undefined,
  waitingPods: [],
  ...more,
})
/** What is decided, in one line. */
function told(of: ReturnType<typeof claim>, among: ClaimSurroundings): string {
  const plan = planClaim(of, among)
  switch (plan.do) {
    case 'bind':
      return `bind ${plan.volume.metadata.name}`
    case 'give-class':
      return `class ${plan.storageClass}`
    case 'ask':
      return `ask ${plan.provisioner}: ${plan.notice.reason}`
    default:
      return `${plan.do}${plan.notice ? ` ${plan.notice.reason}: ${plan.notice.message}` : ''}`
  }
}

describe('a claim for any volume', () => {
  const nothing = 'wait FailedBinding: no persistent volumes available for this claim and no storage class is set'
  test.each<[string, Parameters<typeof claim>[0], Parameters<typeof volume>[0][], string]>([
    [
      'takes the smallest that is large enough',
      {},
      [{ name: 'l', size: '3Gi' }, { name: 'm', size: '2Gi' }, { size: '1Mi' }],
      'bind m',
    ],
    ['takes none that is too small', {}, [{ size: '1023Mi' }], nothing],
    ['takes none of another class', {}, [{ storageClass: 'fast' }], nothing],
    [
      'takes none without a class where it asks for one',
      { storageClass: 'fast' },
      [{}],
      'ask p.example: ExternalProvisioning',
    ],
    ['takes one of its class', { storageClass: 'fast' }, [{ storageClass: 'fast' }], 'bind disk'],
    ['takes none that lacks an access mode', { modes: ['ReadWriteOnce', 'ReadOnlyMany'] }, [{}], nothing],
    [
      'takes the one with fewest modes first',
      {},
      [
        { name: 'a', modes: ['ReadWriteOnce', 'ReadWriteMany'] },
        { name: 'b', size: '9Gi' },
      ],
      'bind b',
    ],
    ['takes none in use', {}, [{ claim: 'other', claimUid: 'x' }], nothing],
    ['takes none that is not announced as free', {}, [{ phase: 'Pending' }], nothing],
    ['takes none that is going', {}, [{ metadata: { deletionTimestamp: 'now' } }], nothing],
    ['takes none of the other mode', { spec: { volumeMode: 'Block' } }, [{}], nothing],
    [
      'takes what its selector picks',
      { spec: { selector: { matchLabels: { a: 'b' } } } },
      [{}, { name: 'x', labels: { a: 'b' } }],
      'bind x',
    ],
    [
      'takes what is kept for it, however large',
      {},
      [{ name: 'small' }, { name: 'kept', size: '9Gi', claim: 'data' }],
      'bind kept',
    ],
    [
      'does not take what is kept for one before it of the same name',
      {},
      [{ claim: 'data', claimUid: 'older' }],
      nothing,
    ],
    [
      'waits for a pod where its class says so, though there are volumes',
      { storageClass: 'late' },
      [{ storageClass: 'late' }],
      'wait WaitForFirstConsumer: waiting for first consumer to be created before binding',
    ],
    [
      'does not wait for a pod if a volume is kept for it',
      { storageClass: 'late' },
      [{ storageClass: 'late', claim: 'data' }],
      'bind disk',
    ],
    [
      'asks once a node is chosen',
      { storageClass: 'late', annotations: { 'volume.kubernetes.io/selected-node': 'n' } },
      [],
      'ask p.example: ExternalProvisioning',
    ],
    [
      'says that its class does not exist',
      { storageClass: 'none' },
      [],
      'wait ProvisioningFailed: storageclass.storage.k8s.io "none" not found',
    ],
    [
      'says that nobody makes volumes of its class',
      { storageClass: 'by-hand' },
      [],
      'wait ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner',
    ],
  ])('%s', (_what, facts, volumes, expected) => {
    expect(told(claim(facts), around(volumes.map(volume)))).toBe(expected)
  })

  test('names the pods that wait for it', () => {
    const late = claim({ storageClass: 'late' })
    expect(told(late, around([], { waitingPods: ['a'] }))).toBe(
      'wait WaitForPodScheduled: waiting for pod a to be scheduled',
    )
    expect(told(late, around([], { waitingPods: ['a', 'b'] }))).toBe(
      'wait WaitForPodScheduled: waiting for pods a,b to be scheduled',
    )
  })

  test('gets the default class if it names none, and not if it asks for none', () => {
    const defaultClass = () => 'fast'
    expect(told(claim(), around([], { defaultClass }))).toBe('class fast')
    expect(told(claim({ storageClass: '' }), around([], { defaultClass }))).toBe(nothing)
    expect(told(claim(), around([volume()], { defaultClass }))).toBe('bind disk')
  })
})

describe('a claim for one certain volume', () => {
  test.each<[string, Parameters<typeof volume>[0][], string]>([
    ['waits for it', [], 'wait'],
    ['takes it', [{}], 'bind disk'],
    ['takes it if it is kept for the claim', [{ claim: 'data' }], 'bind disk'],
    [
      'does not take it from another',
      [{ claim: 'other' }],
      'wait FailedBinding: volume "disk" already bound to a different claim.',
    ],
    [
      'does not take one that is too small',
      [{ size: '1Mi' }],
      'wait VolumeMismatch: Cannot bind to requested volume "disk": requested PV is too small',
    ],
    [
      'does not take one of another class',
      [{ storageClass: 'x' }],
      'wait VolumeMismatch: Cannot bind to requested volume "disk": storageClassName does not match',
    ],
    [
      'does not take one of the other mode',
      [{ spec: { volumeMode: 'Block' } }],
      'wait VolumeMismatch: Cannot bind to requested volume "disk": incompatible volumeMode',
    ],
    [
      'does not take one with other access modes',
      [{ modes: ['ReadWriteMany'] }],
      'wait VolumeMismatch: Cannot bind to requested volume "disk": incompatible accessMode',
    ],
    [
      'does not take one that is going',
      [{ metadata: { deletionTimestamp: 'now' } }],
      'wait VolumeMismatch: Cannot bind to requested volume "disk": the volume is marked for deletion "disk"',
    ],
  ])('%s', (_what, volumes, expected) => {
    expect(told(claim({ volume: 'disk' }), around(volumes.map(volume)))).toBe(expected)
  })
})

describe('a claim that was bound', () => {
  const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' }
  const lost = 'lose ClaimLost: Bound claim has lost'
  test.each<[string, string | undefined, Parameters<typeof volume>[0][], string]>([
    ['stays so', 'disk', [{ claim: 'data', claimUid: 'data' }], 'bind disk'],
    ['takes its volume back', 'disk', [{}], 'bind disk'],
    ['is lost with its volume', 'disk', [], `${lost} its PersistentVolume. Data on the volume is lost!`],
    ['is lost without its name', undefined, [{}], `${lost} reference to PersistentVolume. Data on the volume is lost!`],
    [
      'is lost when its volume is another’s',
      'disk',
      [{ claim: 'data', claimUid: 'older' }],
      'lose ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly',
    ],
  ])('%s', (_what, name, volumes, expected) => {
    const bound = claim({ annotations, ...(name ? { volume: name } : {}) })
    expect(told(bound, around(volumes.map(volume)))).toBe(expected)
  })
})
