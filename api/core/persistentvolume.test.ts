import { describe, expect, it } from 'vitest'
import type { PersistentVolumeSpec } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { persistentVolumes } from './persistentvolume.ts'
import { type PersistentVolumeObject, validatePersistentVolumeSpec } from './persistentvolume-validation.ts'

const ctx: RequestContext = {
  nowMs: Date.parse('2024-01-01T00:00:00Z'),
  user: { name: 'test', groups: [] },
  subresource: '',
  dryRun: false,
}
const secretRef = { name: 's', namespace: 'ns' }
const affinity = (key: string, ...values: string[]) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values }] }] },
})
const sound = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] }

function volume(spec: PersistentVolumeSpec, annotations?: Record<string, string>): PersistentVolumeObject {
  const made: PersistentVolumeObject = {
    metadata: { name: 'pv', ...(annotations ? { annotations } : {}) },
    spec: structuredClone({ ...sound, ...spec }),
  }
  persistentVolumes.defaults?.(made)
  return made
}

const faults = (made: PersistentVolumeObject, old?: PersistentVolumeObject) =>
  persistentVolumes.validate?.(made, old, ctx).map(formatFieldError)
const hostPath = { path: '/data' }
const csi = { driver: 'a.b', volumeHandle: 'h' }

describe('the source of a volume', () => {
  it.each<[PersistentVolumeSpec]>([
    [{ hostPath }],
    [{ csi: { ...csi, driver: 'A.b', nodePublishSecretRef: secretRef } }],
    [{ local: { path: '/mnt' }, nodeAffinity: affinity('kubernetes.io/hostname', 'n') }],
    [{ nfs: { server: 's', path: '/' } }],
    [{ iscsi: { targetPortal: '1.2.3.4:3260', iqn: 'iqn.2001-04.com.example:storage', lun: 0 } }],
    [{ cinder: { volumeID: 'v', secretRef } }],
    [{ fc: { wwids: ['w'] } }],
    [{ flocker: { datasetName: 'd' } }],
    [{ azureFile: { secretName: 's', shareName: 's' } }],
    [{ rbd: { monitors: ['m'], image: 'i' } }],
    [{ gcePersistentDisk: { pdName: 'd' } }],
  ])('may be %j', (spec) => {
    expect(faults(volume(spec))).toEqual([])
  })

  it.each<[PersistentVolumeSpec, string[]]>([
    [{}, ['spec: Required value: must specify a volume type']],
    [
      { hostPath, nfs: { server: 's', path: '/' }, cephfs: { monitors: ['m'] } },
      [
        'spec.nfs: Forbidden: may not specify more than 1 volume type',
        'spec.cephFS: Forbidden: may not specify more than 1 volume type',
      ],
    ],
    [{ hostPath: { path: '/a/../b' } }, ['spec.hostPath.path: Invalid value: "/a/../b": must not contain \'..\'']],
    [
      { hostPath: { path: '/a', type: 'Door' } },
      [
        'spec.hostPath.type: Unsupported value: "Door": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      ],
    ],
    [
      { gcePersistentDisk: { pdName: '', partition: 256 } },
      [
        'spec.persistentDisk.pdName: Required value',
        'spec.persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive',
      ],
    ],
    [
      { glusterfs: { endpoints: 'e', path: 'p', endpointsNamespace: '' } },
      [
        'spec.glusterfs.endpointsNamespace: Invalid value: "": if the endpointnamespace is set, it must be a valid namespace name',
      ],
    ],
    [{ local: { path: '/mnt' } }, ['spec.nodeAffinity: Required value: Local volume requires node affinity']],
    [
      { csi: { driver: '', volumeHandle: '', nodeExpandSecretRef: { name: 's' } } },
      [
        'spec.csi.driver: Required value',
        'spec.csi.volumeHandle: Required value',
        'spec.csi.nodeExpandSecretRef.namespace: Required value',
      ],
    ],
    [
      { iscsi: { targetPortal: 'p', iqn: 'abc', lun: 256, chapAuthSession: true } },
      [
        'spec.iscsi.iqn: Invalid value: "abc": must be valid format',
        'spec.iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive',
        'spec.iscsi.secretRef: Required value',
      ],
    ],
    [
      {
        iscsi: { targetPortal: 'p'.repeat(64), iqn: 'eui.0123456789ABCDEF', lun: 0, initiatorName: 'iqn.2001-04.a:b' },
      },
      [
        `spec.iscsi.targetportal: Invalid value: "${'p'.repeat(64)}": Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.`,
      ],
    ],
    [{ cinder: { volumeID: 'v', secretRef: { name: 's' } } }, ['spec.cinder.secretRef.namespace: Required value']],
    [
      { azureFile: { secretName: 's', shareName: 's', secretNamespace: '' } },
      ['spec.azureFile.secretNamespace: Required value'],
    ],
    [
      { nfs: { server: '', path: 'a' } },
      ['spec.nfs.server: Required value', 'spec.nfs.path: Invalid value: "a": must be an absolute path'],
    ],
  ])('%j has its faults named', (spec, expected) => {
    expect(faults(volume(spec))).toEqual(expected)
  })
})

describe('a volume', () => {
  it.each<[string, PersistentVolumeSpec, string[]]>([
    ['no access mode', { accessModes: [] }, ['spec.accessModes: Required value']],
    [
      'an unknown access mode',
      { accessModes: ['Sometimes'] },
      [
        'spec.accessModes: Unsupported value: "Sometimes": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      ],
    ],
    [
      'one pod among many',
      { accessModes: ['ReadWriteOncePod', 'ReadWriteMany'] },
      ['spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
    ],
    [
      'no capacity',
      { capacity: {} },
      ['spec.capacity: Required value', 'spec.capacity: Unsupported value: {}: supported values: "storage"'],
    ],
    [
      'no room',
      { capacity: { storage: '0' } },
      ['spec.capacity[storage]: Invalid value: "0": must be greater than zero'],
    ],
    [
      'another policy',
      { persistentVolumeReclaimPolicy: 'Burn' },
      [
        'spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"',
      ],
    ],
    [
      'the root to recycle',
      { hostPath: { path: '/./' }, persistentVolumeReclaimPolicy: 'Recycle' },
      ["spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"],
    ],
    [
      'another mode',
      { volumeMode: 'Tape' },
      ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
    ],
    [
      'affinity to nothing',
      { nodeAffinity: {} },
      ['spec.nodeAffinity.required: Required value: must specify required node constraints'],
    ],
    [
      'attributes without a driver',
      { volumeAttributesClassName: 'gold' },
      ['spec.csi: Required value: has to be specified when using volumeAttributesClassName'],
    ],
  ])('with %s', (_, spec, expected) => {
    expect(faults(volume({ hostPath, ...spec }))).toEqual(expected)
  })

  it('takes mount options by annotation only where the type has them', () => {
    const annotations = { 'volume.beta.kubernetes.io/mount-options': 'ro' }
    expect(faults(volume({ nfs: { server: 's', path: '/' } }, annotations))).toEqual([])
    expect(faults(volume({ hostPath }, annotations))).toEqual([
      'metadata.annotations.volume.beta.kubernetes.io/mount-options: Forbidden: may not specify mount options for this volume type',
    ])
  })

  it('within another object has less freedom', () => {
    const spec = {
      ...sound,
      hostPath,
      storageClassName: 'a',
      persistentVolumeReclaimPolicy: 'Delete',
      volumeMode: 'Block',
    }
    const errors = validatePersistentVolumeSpec(spec, '', 'spec.inline', {
      inline: true,
      allowInvalidAffinityValues: false,
    })
    expect(errors.map(formatFieldError)).toEqual([
      'spec.inline.capacity: Forbidden: may not be specified in the context of inline volumes',
      'spec.inline.csi: Required value: has to be specified in the context of inline volumes',
      'spec.inline.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of inline volumes',
      'spec.inline.storageClassName: Forbidden: may not be specified in the context of inline volumes',
      'spec.inline.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes',
    ])
  })

  it('never changes its source', () => {
    expect(faults(volume({ hostPath: { path: '/b' } }), volume({ hostPath: { path: '/a' } }))).toEqual([
      [
        'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
        '@@ -1,6 +1,6 @@',
        ' {',
        '   "hostPath": {',
        '-    "path": "/a",',
        '+    "path": "/b",',
        '     "type": ""',
        '   }',
        ' }',
        '',
      ].join('\n'),
    ])
  })

  it('may be given the secret for expanding it once', () => {
    const expanding = { csi: { ...csi, controllerExpandSecretRef: secretRef } }
    expect(faults(volume(expanding), volume({ csi }))).toEqual([])
    expect(faults(volume({ csi }), volume(expanding))).toHaveLength(1)
  })

  it('may follow a renamed node label, and change its place in no other way', () => {
    const old = volume({ hostPath, nodeAffinity: affinity('failure-domain.beta.kubernetes.io/zone', 'a') })
    expect(faults(volume({ hostPath, nodeAffinity: affinity('topology.kubernetes.io/zone', 'a') }), old)).toEqual([])
    const moved = faults(volume({ hostPath, nodeAffinity: affinity('topology.kubernetes.io/zone', 'b') }), old)
    expect(moved?.[0]).toMatch(
      /^nodeAffinity: Invalid value: .*field is immutable, except for updating from beta label to GA$/,
    )
    expect(faults(volume({ hostPath, nodeAffinity: affinity('x', 'b') }), volume({ hostPath }))).toEqual([])
  })

  it('notes when its phase changed', () => {
    const old = volume({ hostPath })
    persistentVolumes.strategy.prepareForCreate?.(old, { ...ctx, nowMs: 0 })
    expect(old.status).toEqual({ phase: 'Pending', lastPhaseTransitionTime: '1970-01-01T00:00:00Z' })
    const move = (phase: string) => {
      const next = { ...volume({ hostPath }), status: { phase } }
      persistentVolumes.strategy.prepareForStatusUpdate?.(next, old, ctx)
      return next.status
    }
    expect(move('Pending')).toEqual({ phase: 'Pending', lastPhaseTransitionTime: '1970-01-01T00:00:00Z' })
    expect(move('Bound')).toEqual({ phase: 'Bound', lastPhaseTransitionTime: '2024-01-01T00:00:00Z' })
  })

  it('warns of what has gone out of use', () => {
    const made = volume(
      {
        rbd: { monitors: ['m'], image: 'i' },
        persistentVolumeReclaimPolicy: 'Recycle',
        nodeAffinity: affinity('beta.kubernetes.io/os', 'linux'),
      },
      { 'volume.beta.kubernetes.io/storage-class': 'a' },
    )
    expect(persistentVolumes.warnings?.(made, undefined)).toEqual([
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      'spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
      'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
    ])
  })

  it('prints as kubectl shows it', () => {
    const made = volume({
      hostPath,
      accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
      claimRef: { namespace: 'ns', name: 'c' },
    })
    expect(persistentVolumes.columns?.map(({ value }) => value(made, 0))).toEqual([
      'pv',
      '1Gi',
      'RWO,RWX',
      'Retain',
      'Pending',
      'ns/c',
      '',
      '<unset>',
      '',
      '<unknown>',
      'Filesystem',
    ])
  })
})
