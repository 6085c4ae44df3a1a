import { invalid } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { age } from '../machinery/print.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { errorSchema, fields, kindSchema, moment, text, truth } from './schema.ts'
import { validateSource } from './source-rules.ts'
import type { VolumeSnapshot } from './types.ts'

export const volumeSnapshots = defineResource<Stored<VolumeSnapshot>>({
  group: 'snapshot.storage.k8s.io',
  version: 'v1',
  kind: 'VolumeSnapshot',
  plural: 'volumesnapshots',
  shortNames: ['vs'],
  namespaced: true,
  schema: kindSchema(
    'VolumeSnapshot',
    {
      spec: fields(
        {
          source: fields({ persistentVolumeClaimName: text, volumeSnapshotContentName: text }),
          volumeSnapshotClassName: text,
        },
        ['source'],
      ),
      status: fields({
        boundVolumeSnapshotContentName: text,
        creationTime: moment,
        error: errorSchema,
        readyToUse: truth,
        restoreSize: { type: 'quantity' },
        volumeGroupSnapshotName: text,
      }),
    },
    ['spec'],
  ),
  validate: ({ spec }, old) => {
    const kinds = ['volumeSnapshotContentName', 'persistentVolumeClaimName'] as const
    const errors = validateSource(spec?.source, old?.spec?.source, kinds, 'spec.source')
    if (spec?.volumeSnapshotClassName !== '') return errors
    const why = 'volumeSnapshotClassName must not be the empty string when set'
    return [...errors, invalid('spec.volumeSnapshotClassName', '', why)]
  },
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
      name: 'SourcePVC',
      type: 'string',
      description: 'The claim it is taken of.',
      value: ({ spec }) => spec?.source?.persistentVolumeClaimName ?? '',
    },
    {
      name: 'SourceSnapshotContent',
      type: 'string',
      description: 'The snapshot that was there before.',
      value: ({ spec }) => spec?.source?.volumeSnapshotContentName ?? '',
    },
    {
      name: 'RestoreSize',
      type: 'string',
      description: 'How large a volume made of it is at least.',
      value: ({ status }) => status?.restoreSize ?? '',
    },
    {
      name: 'SnapshotClass',
      type: 'string',
      description: 'How it is taken.',
      value: ({ spec }) => spec?.volumeSnapshotClassName ?? '',
    },
    {
      name: 'SnapshotContent',
      type: 'string',
      description: 'The snapshot as its driver has it.',
      value: ({ status }) => status?.boundVolumeSnapshotContentName ?? '',
    },
    {
      name: 'CreationTime',
      type: 'date',
      description: 'When it was taken.',
      value: ({ status }, nowMs) => (status?.creationTime ? age(status.creationTime, nowMs) : ''),
    },
    ageColumn,
  ],
})
