import { describe, expect, it } from 'vitest'
import { cells, defaulted, faults, statusFaults, testContext } from '../machinery/kind-testing.ts'
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  storageClasses,
  volumeAttachments,
  volumeAttributesClasses,
} from './index.ts'

const named = (more: object) => ({ metadata: { name: 'x', namespace: 'n' }, ...more })
const term = (...expressions: [string, ...string[]][]) => ({
  matchLabelExpressions: expressions.map(([key, ...values]) => ({ key, values })),
})

describe('storage classes', () => {
  const storageClass = (more: object = {}) => named({ provisioner: 'example.com/disk', ...more })
  it('delete volumes and bind at once by default', () => {
    expect(defaulted(storageClasses, storageClass())).toMatchObject({
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'Immediate',
    })
  })
  it.each([
    ['a sound one', {}, []],
    ['a provisioner in capitals', { provisioner: 'Example.COM/Disk' }, []],
    ['no provisioner', { provisioner: '' }, ['provisioner: Required value']],
    [
      'an unknown policy',
      { reclaimPolicy: 'Recycle' },
      ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"'],
    ],
    [
      'an unknown mode',
      { volumeBindingMode: 'Later' },
      ['volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"'],
    ],
    [
      'a parameter without name',
      { parameters: { '': 'x' } },
      ['parameters: Invalid value: "": field can not be empty.'],
    ],
    [
      'more parameters than fit',
      { parameters: { a: 'x'.repeat(256 * 1024) } },
      ['parameters: Too long: may not be more than 262144 bytes'],
    ],
    [
      'two equal topologies',
      { allowedTopologies: [term(['a', '1', '2']), term(['a', '2', '1'])] },
      ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
    ],
    [
      'a key twice',
      { allowedTopologies: [term(['a', '1'], ['a', '2'])] },
      ['allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "a"'],
    ],
    [
      'no values',
      { allowedTopologies: [term(['a'])] },
      ['allowedTopologies[0].matchLabelExpressions[0].values: Required value'],
    ],
  ])('%s', (_, more, expected) => {
    expect(faults(storageClasses, storageClass(more))).toEqual(expected)
  })
  it('may change nothing that made their volumes', () => {
    expect(faults(storageClasses, storageClass({ parameters: { a: 'b' } }), storageClass())).toEqual([
      'parameters: Invalid value: {"a":"b"}: field is immutable',
    ])
    expect(faults(storageClasses, storageClass({ allowVolumeExpansion: true }), storageClass())).toEqual([])
  })
  it('show which one is the default, and warn of old labels', () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
    expect(cells(storageClasses, { ...storageClass(), metadata: { name: 'x', annotations } })).toMatchObject({
      Name: 'x (default)',
    })
    const old = storageClass({ allowedTopologies: [term(['beta.kubernetes.io/os', 'linux'])] })
    expect(storageClasses.warnings?.(defaulted(storageClasses, old), undefined)).toEqual([
      'allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.14; use "kubernetes.io/os" instead',
    ])
  })
})

it('classes of volume attributes have parameters, and keep them', () => {
  const attributes = named({ driverName: 'd.example.com', parameters: { iops: '1' } })
  expect(faults(volumeAttributesClasses, attributes)).toEqual([])
  expect(faults(volumeAttributesClasses, named({ driverName: 'd.example.com' }), attributes)).toEqual([
    'parameters: Forbidden: updates to parameters are forbidden.',
    'parameters: Required value: must contain at least one key/value pair',
  ])
})

describe('drivers', () => {
  const driver = (spec: object = {}) => named({ spec })
  it('get upstream defaults', () => {
    expect(defaulted(csiDrivers, driver()).spec).toEqual({
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      volumeLifecycleModes: ['Persistent'],
      requiresRepublish: false,
      seLinuxMount: false,
    })
  })
  it.each([
    [
      'an unknown policy',
      { fsGroupPolicy: 'X' },
      ['spec.fsGroupPolicy: Unsupported value: "X": supported values: "File", "None", "ReadWriteOnceWithFSType"'],
    ],
    [
      'an audience twice',
      { tokenRequests: [{ audience: 'a' }, { audience: 'a' }] },
      ['spec.tokenRequests[1].audience: Duplicate value: "a"'],
    ],
    [
      'a token too short',
      { tokenRequests: [{ audience: 'a', expirationSeconds: 599 }] },
      ['spec.tokenRequests[0].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes'],
    ],
    [
      'an unknown mode',
      { volumeLifecycleModes: ['X'] },
      ['spec.volumeLifecycleModes: Unsupported value: "X": supported values: "Persistent", "Ephemeral"'],
    ],
    [
      'updates too often',
      { nodeAllocatableUpdatePeriodSeconds: 9 },
      ['spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds'],
    ],
    [
      'secrets without tokens',
      { serviceAccountTokenInSecrets: true },
      [
        'spec.serviceAccountTokenInSecrets: Invalid value: true: serviceAccountTokenInSecrets is set but no tokenRequests are specified',
      ],
    ],
  ])('%s', (_, spec, expected) => {
    expect(faults(csiDrivers, driver(spec))).toEqual(expected)
  })
  it('cannot change whether they attach; a change raises the generation', () => {
    expect(faults(csiDrivers, driver({ attachRequired: false }), driver())).toEqual([
      'spec.attachedRequired: Invalid value: false: field is immutable',
    ])
    const next = defaulted(csiDrivers, driver({ podInfoOnMount: true }))
    csiDrivers.strategy.prepareForUpdate?.(next, defaulted(csiDrivers, driver()), testContext)
    expect(next.metadata.generation).toBe(1)
  })
})

describe('drivers on nodes', () => {
  const node = (...drivers: object[]) => named({ spec: { drivers } })
  const driver = (more: object = {}) => ({ name: 'd.example.com', nodeID: 'n', topologyKeys: ['zone'], ...more })
  it.each([
    ['a sound one', node(driver()), []],
    ['one twice', node(driver(), driver()), ['spec.drivers[1].name: Duplicate value: "d.example.com"']],
    ['no node', node(driver({ nodeID: '' })), ['spec.drivers[0].nodeID: Required value']],
    [
      'a negative limit',
      node(driver({ allocatable: { count: -1 } })),
      ['spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0'],
    ],
    ['a key twice', node(driver({ topologyKeys: ['a', 'a'] })), ['spec.drivers[0]: Duplicate value: "a"']],
    [
      'a name too long',
      node(driver({ name: `${'a'.repeat(60)}.com` })),
      ['spec.drivers[0].name: Too long: may not be more than 63 bytes'],
    ],
  ])('%s', (_, object, expected) => {
    expect(faults(csiNodes, object)).toEqual(expected)
  })
  it('may change their limit, and leave', () => {
    expect(faults(csiNodes, node(driver({ allocatable: { count: 5 } })), node(driver()))).toEqual([])
    expect(faults(csiNodes, node(), node(driver()))).toEqual([])
    expect(faults(csiNodes, node(driver({ nodeID: 'm' })), node(driver())).length).toBe(1)
  })
})

it('reports of capacity keep what they are about', () => {
  const report = (more: object = {}) => named({ storageClassName: 'fast', ...more })
  expect(faults(csiStorageCapacities, report({ capacity: '-1' }))).toEqual([
    'capacity: Invalid value: "-1": must be greater than or equal to 0',
  ])
  expect(faults(csiStorageCapacities, report({ storageClassName: 'slow' }), report())).toEqual([
    'storageClassName: Invalid value: "slow": field is immutable',
  ])
})

describe('attachments', () => {
  const attachment = (spec: object = {}, status?: object) =>
    named({
      spec: { attacher: 'd.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' }, ...spec },
      ...(status ? { status } : {}),
    })
  it.each([
    ['a sound one', {}, []],
    [
      'no source',
      { source: {} },
      ['spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
    ],
    [
      'no volume',
      { source: { persistentVolumeName: '' } },
      ['spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName'],
    ],
    [
      'a volume of its own that is none',
      {
        source: {
          inlineVolumeSpec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/x' } },
        },
      },
      [expect.stringMatching(/^spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified/)],
    ],
    ['no driver', { attacher: '' }, ['spec.attacher: Required value']],
  ])('%s', (_, spec, expected) => {
    expect(faults(volumeAttachments, attachment(spec)).slice(0, 1)).toEqual(expected)
  })
  it('stay where they are, and report errors of a bounded length', () => {
    expect(faults(volumeAttachments, attachment({ nodeName: 'm' }), attachment()).length).toBe(1)
    const status = { attached: false, attachError: { message: 'x'.repeat(1025), errorCode: -1 } }
    expect(statusFaults(volumeAttachments, attachment({}, status), attachment())).toEqual([
      'status.attachError.message: Too long: may not be more than 262144 bytes',
      'status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ])
  })
})
