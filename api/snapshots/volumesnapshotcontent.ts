import { type FieldError, invalid, required } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { errorSchema, fields, kindSchema, long, text, truth } from './schema.ts'
import { validatePolicy, validateSource } from './source-rules.ts'
import type { VolumeSnapshotContent } from './types.ts'

export const volumeSnapshotContents = defineResource<Stored<VolumeSnapshotContent>>({
  group: 'snapshot.storage.k8s.io',
  version: 'v1',
  kind: 'VolumeSnapshotContent',
  plural: 'volumesnapshotcontents',
  shortNames: ['vsc', 'vscs'],
  namespaced: false,
  schema: kindSchema(
    'VolumeSnapshotContent',
    {
      spec: fields(
        {
          deletionPolicy: text,
          driver: text,
          source: fields({ snapshotHandle: text, volumeHandle: text }),
          sourceVolumeMode: text,
          volumeSnapshotClassName: text,
          volumeSnapshotRef: builtinSchema('io.k8s.api.core.v1.ObjectReference'),
        },
        ['deletionPolicy', 'driver', 'source', 'volumeSnapshotRef'],
      ),
      status: fields({
        creationTime: long,
        error: errorSchema,
        readyToUse: truth,
        restoreSize: long,
        snapshotHandle: text,
        volumeGroupSnapshotHandle: text,
      }),
    },
    ['spec'],
  ),
  validate: ({ spec }, old) => validateSpec(spec, old?.spec),
  validateStatus: ({ status }) =>
    (status?.restoreSize ?? 0) < 0
      ? [invalid('status.restoreSize', status?.restoreSize, 'should be greater than or equal to 0')]
      : [],
  strategy: { status: true },
  columns: [
    nameColumn,
    {
      name: 'ReadyToUse',
      type: 'boolean',
      description: 'Whether a volume can be made of it.',
      value: ({ status }) => status?.readyToUse ?? '',
    },
    {
      name: 'RestoreSize',
      type: 'integer',
      description: 'Its bytes.',
      value: ({ status }) => status?.restoreSize ?? '',
    },
    {
      name: 'DeletionPolicy',
      type: 'string',
      description: 'Whether it goes with its object.',
      value: ({ spec }) => spec?.deletionPolicy ?? '',
    },
    { name: 'Driver', type: 'string', description: 'Who has it.', value: ({ spec }) => spec?.driver ?? '' },
    {
      name: 'VolumeSnapshotClass',
      type: 'string',
      description: 'How it was taken.',
      value: ({ spec }) => spec?.volumeSnapshotClassName ?? '',
    },
    {
      name: 'VolumeSnapshot',
      type: 'string',
      description: 'Whom it is bound to.',
      value: ({ spec }) => spec?.volumeSnapshotRef?.name ?? '',
    },
    {
      name: 'VolumeSnapshotNamespace',
      type: 'string',
      description: 'The namespace of that.',
      value: ({ spec }) => spec?.volumeSnapshotRef?.namespace ?? '',
    },
    ageColumn,
  ],
})

type Spec = VolumeSnapshotContent['spec']

function validateSpec(spec: Spec | undefined, old: Spec | undefined): FieldError[] {
  if (!spec) return [required('spec')]
  const { source, volumeSnapshotRef, deletionPolicy, driver } = spec
  const isNamed = volumeSnapshotRef?.name !== undefined && volumeSnapshotRef.namespace !== undefined
  const both = 'both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set'
  return [
    ...validatePolicy(deletionPolicy, 'spec.deletionPolicy'),
    ...(driver ? [] : [required('spec.driver')]),
    ...validateSource(source, old?.source, ['volumeHandle', 'snapshotHandle'], 'spec.source'),
    ...validateMode(spec, old?.sourceVolumeMode),
    ...(isNamed ? [] : [invalid('spec.volumeSnapshotRef', volumeSnapshotRef, both)]),
  ]
}

function validateMode(spec: Spec, old: string | undefined): FieldError[] {
  const { sourceVolumeMode } = spec
  if (old === undefined || sourceVolumeMode === old) return []
  if (sourceVolumeMode === undefined) return [invalid('spec', spec, 'sourceVolumeMode is required once set')]
  return [invalid('spec.sourceVolumeMode', sourceVolumeMode, 'sourceVolumeMode is immutable')]
}
