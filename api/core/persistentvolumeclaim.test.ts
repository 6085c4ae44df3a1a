import { describe, expect, it } from 'vitest'
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimStatus } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type PersistentVolumeClaimObject, persistentVolumeClaims } from './persistentvolumeclaim.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const classAnnotation = 'volume.beta.kubernetes.io/storage-class'
const size = (storage: string) => ({ resources: { requests: { storage } } })
const sound: PersistentVolumeClaimSpec = { accessModes: ['ReadWriteOnce'], ...size('2Gi') }

interface Wanted extends PersistentVolumeClaimSpec {
  annotations?: Record<string, string>
}

function claim(
  { annotations, ...spec }: Wanted = {},
  status: PersistentVolumeClaimStatus = {},
): PersistentVolumeClaimObject {
  const made: PersistentVolumeClaimObject = {
    metadata: { name: 'c', resourceVersion: '1', ...(annotations ? { annotations } : {}) },
    spec: structuredClone({ ...sound, ...spec }),
    status: { ...status },
  }
  persistentVolumeClaims.defaults?.(made)
  return made
}

const faults = (made: PersistentVolumeClaimObject, old?: PersistentVolumeClaimObject) =>
  persistentVolumeClaims.validate?.(made, old, ctx).map((error) => formatFieldError(error).split('\n')[0])
const bound: PersistentVolumeClaimStatus = { phase: 'Bound', capacity: { storage: '1Gi' } }
const fixed =
  'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

describe('a claim', () => {
  it.each<[string, Wanted, string[]]>([
    ['in order', {}, []],
    [
      'without access mode',
      { accessModes: [] },
      ['spec.accessModes: Required value: at least 1 access mode is required'],
    ],
    ['without size', { resources: {} }, ['spec.resources[storage]: Required value']],
    ['of no size', size('0'), ['spec.resources[storage]: Invalid value: "0": must be greater than zero']],
    [
      'of an unknown mode',
      { volumeMode: 'Tape' },
      ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
    ],
    [
      'from a source of no group',
      { dataSource: { kind: 'Backup', name: 'b' } },
      [
        'spec.dataSource: Invalid value: "Backup": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
      ],
    ],
  ])('%s', (_, spec, expected) => {
    expect(faults(claim(spec))).toEqual(expected)
  })

  it.each<[string, Wanted, PersistentVolumeClaimSpec['dataSource'], PersistentVolumeClaimSpec['dataSourceRef']]>([
    ['nothing', {}, undefined, undefined],
    [
      'a claim',
      { dataSource: { kind: 'PersistentVolumeClaim', name: 'a' } },
      { kind: 'PersistentVolumeClaim', name: 'a' },
      { kind: 'PersistentVolumeClaim', name: 'a' },
    ],
    [
      'what the old field never knew',
      { dataSource: { apiGroup: 'x.y', kind: 'Backup', name: 'a' } },
      undefined,
      undefined,
    ],
    [
      'the new field',
      { dataSourceRef: { apiGroup: 'x.y', kind: 'Backup', name: 'a' } },
      { apiGroup: 'x.y', kind: 'Backup', name: 'a' },
      { apiGroup: 'x.y', kind: 'Backup', name: 'a' },
    ],
    [
      'another namespace',
      { dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'a', namespace: 'b' } },
      undefined,
      undefined,
    ],
  ])('is filled from %s', (_, spec, source, reference) => {
    const made = claim(spec)
    persistentVolumeClaims.strategy.prepareForCreate?.(made, ctx)
    expect([made.spec.dataSource, made.spec.dataSourceRef]).toEqual([source, reference])
  })

  it.each<[string, PersistentVolumeClaimObject, PersistentVolumeClaimObject, string[]]>([
    ['is bound', claim(), claim({ volumeName: 'v' }), []],
    ['moves to another volume', claim({ volumeName: 'v' }), claim({ volumeName: 'w' }), [fixed]],
    ['changes its access modes', claim(), claim({ accessModes: ['ReadWriteMany'] }), [fixed]],
    ['grows before it is bound', claim(), claim(size('3Gi')), [fixed]],
    ['grows', claim({}, bound), claim(size('3Gi'), bound), []],
    ['takes a failed expansion back', claim({}, bound), claim(size('1500Mi'), bound), []],
    [
      'shrinks',
      claim({}, bound),
      claim(size('1Gi'), bound),
      ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
    ],
    ['gets a class', claim(), claim({ storageClassName: 'a' }), []],
    ['changes its class', claim({ storageClassName: 'a' }), claim({ storageClassName: 'b' }), [fixed]],
    [
      'moves its class to the field',
      claim({ annotations: { [classAnnotation]: 'a' } }),
      claim({ storageClassName: 'a' }),
      [],
    ],
    [
      'changes its class by annotation',
      claim({ annotations: { [classAnnotation]: 'a' } }),
      claim({ annotations: { [classAnnotation]: 'b' } }),
      [`metadata.annotations.${classAnnotation}: Invalid value: "b": field is immutable`],
    ],
    ['gets attributes', claim({}, bound), claim({ volumeAttributesClassName: 'gold' }, bound), []],
    [
      'loses them',
      claim({ volumeAttributesClassName: 'gold' }, { ...bound, currentVolumeAttributesClassName: 'gold' }),
      claim({}, { ...bound, currentVolumeAttributesClassName: 'gold' }),
      [
        'spec.volumeAttributesClassName: Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil',
      ],
    ],
    [
      'changes its mode',
      claim(),
      claim({ volumeMode: 'Block' }),
      [fixed, 'volumeMode: Invalid value: "Block": field is immutable'],
    ],
  ])('may or may not: %s', (_, old, next, expected) => {
    expect(faults(next, old)).toEqual(expected)
  })

  it.each<[PersistentVolumeClaimStatus, string[]]>([
    [
      {
        capacity: { storage: '1Gi' },
        allocatedResourceStatuses: { storage: 'NodeResizePending' },
        allocatedResources: { storage: '2Gi' },
      },
      [],
    ],
    [
      { capacity: { storage: '-1' } },
      ['status.capacity[storage]: Invalid value: -1: must be a valid resource quantity'],
    ],
    [
      { allocatedResourceStatuses: { storage: 'Odd' } },
      [
        'status.allocatedResourceStatuses: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
      ],
    ],
    [
      { allocatedResources: { cpu: '1' } },
      ['status.allocatedResources: Unsupported value: "cpu": supported values: "storage"'],
    ],
  ])('with the status %j', (status, expected) => {
    expect(persistentVolumeClaims.validateStatus?.(claim({}, status), claim(), ctx).map(formatFieldError)).toEqual(
      expected,
    )
  })

  it('prints what it is bound to', () => {
    const made = claim({ volumeName: 'v', storageClassName: 's' }, { ...bound, accessModes: ['ReadOnlyMany'] })
    expect(persistentVolumeClaims.columns?.map(({ value }) => value(made, 0))).toEqual([
      'c',
      'Bound',
      'v',
      '1Gi',
      'ROX',
      's',
      '<unset>',
      '<unknown>',
      'Filesystem',
    ])
  })
})
