import { required } from '../machinery/field-errors.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { formatTime } from '../machinery/time.ts'
import { nodeSelectorWarnings } from '../node/deprecated-labels.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { type PersistentVolumeObject, validatePersistentVolume } from './persistentvolume-validation.ts'
import { classAnnotation } from './volume-binding.ts'

export const persistentVolumes = defineResource<PersistentVolumeObject>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.core.v1.PersistentVolume'),
  defaults(volume) {
    volume.spec ??= {}
    const { spec } = volume
    volume.status ??= {}
    volume.status.phase ||= 'Pending'
    spec.persistentVolumeReclaimPolicy ||= 'Retain'
    spec.volumeMode ??= 'Filesystem'
    if (spec.hostPath) spec.hostPath.type ??= ''
  },
  validate: validatePersistentVolume,
  validateStatus: ({ metadata }) => (metadata.resourceVersion ? [] : [required('resourceVersion')]),
  warnings,
  strategy: {
    status: true,
    returnDeleted: true,
    prepareForCreate(volume, { nowMs }) {
      volume.status = { phase: 'Pending', lastPhaseTransitionTime: formatTime(nowMs) }
    },
    prepareForStatusUpdate(volume, old, { nowMs }) {
      volume.status ??= {}
      const { status } = volume
      const before = old.status?.lastPhaseTransitionTime
      if (status.phase === old.status?.phase) {
        if (before !== undefined) status.lastPhaseTransitionTime ??= before
      } else if (status.lastPhaseTransitionTime === undefined || status.lastPhaseTransitionTime === before) {
        status.lastPhaseTransitionTime = formatTime(nowMs)
      }
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Capacity',
      type: 'string',
      description: 'How much it holds.',
      value: ({ spec }) => spec.capacity?.storage ?? '0',
    },
    {
      name: 'Access Modes',
      type: 'string',
      description: 'How it can be mounted.',
      value: ({ spec }) => accessModesText(spec.accessModes),
    },
    {
      name: 'Reclaim Policy',
      type: 'string',
      description: 'What becomes of it when its claim is gone.',
      value: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '',
    },
    {
      name: 'Status',
      type: 'string',
      description: 'Whether it is free, bound or released.',
      value: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
    },
    {
      name: 'Claim',
      type: 'string',
      description: 'The claim it is bound to.',
      value: ({ spec: { claimRef } }) => (claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : ''),
    },
    {
      name: 'StorageClass',
      type: 'string',
      description: 'The storage class it is of.',
      value: ({ metadata, spec }) => metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? '',
    },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      description: 'The class of its attributes.',
      value: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
    },
    {
      name: 'Reason',
      type: 'string',
      description: 'Why it failed, in one word.',
      value: ({ status }) => status?.reason ?? '',
    },
    ageColumn,
    {
      name: 'VolumeMode',
      type: 'string',
      priority: 1,
      description: 'File system or raw block device.',
      value: ({ spec }) => spec.volumeMode ?? '<unset>',
    },
  ],
})

/** Access modes as columns show them: `RWO,RWX`. */
export const accessModesText = (modes: readonly string[] = []): string =>
  accessModeNames.flatMap(([mode, short]) => (modes.includes(mode) ? [short] : [])).join(',')

const accessModeNames = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const

const deprecatedAnnotations = [
  [classAnnotation, 'deprecated since v1.8; use "storageClassName" attribute instead'],
  ['volume.beta.kubernetes.io/mount-options', 'deprecated since v1.31; use "mountOptions" attribute instead'],
] as const

const deprecatedTypes = [
  ['cephfs', 'spec.cephfs: deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'spec.photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'spec.scaleIO: deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'spec.storageOS: deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'spec.glusterfs: deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'spec.rbd: deprecated in v1.28, non-functional in v1.31+'],
] as const

function warnings({ metadata, spec }: PersistentVolumeObject): string[] {
  const found = deprecatedAnnotations.flatMap(([annotation, text]) =>
    metadata.annotations?.[annotation] === undefined ? [] : [`metadata.annotations[${annotation}]: ${text}`],
  )
  if (spec.persistentVolumeReclaimPolicy === 'Recycle')
    found.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    )
  for (const [i, { matchExpressions = [] }] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries())
    found.push(...nodeSelectorWarnings({ matchExpressions }, `spec.nodeAffinity.required.nodeSelectorTerms[${i}]`))
  for (const [type, text] of deprecatedTypes) if (spec[type]) found.push(text)
  return found
}
