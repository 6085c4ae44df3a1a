import { required } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { kindSchema, text } from './schema.ts'
import { validatePolicy } from './source-rules.ts'
import type { VolumeSnapshotClass } from './types.ts'

export const volumeSnapshotClasses = defineResource<Stored<VolumeSnapshotClass>>({
  group: 'snapshot.storage.k8s.io',
  version: 'v1',
  kind: 'VolumeSnapshotClass',
  plural: 'volumesnapshotclasses',
  shortNames: ['vsclass', 'vsclasses'],
  namespaced: false,
  schema: kindSchema(
    'VolumeSnapshotClass',
    { driver: text, deletionPolicy: text, parameters: { type: 'map', values: text } },
    ['deletionPolicy', 'driver'],
  ),
  validate: ({ deletionPolicy, driver }) => [
    ...validatePolicy(deletionPolicy, 'deletionPolicy'),
    ...(driver ? [] : [required('driver')]),
  ],
  columns: [
    nameColumn,
    { name: 'Driver', type: 'string', description: 'Who takes the snapshots.', value: ({ driver }) => driver ?? '' },
    {
      name: 'DeletionPolicy',
      type: 'string',
      description: 'Whether a snapshot goes with its object.',
      value: ({ deletionPolicy }) => deletionPolicy ?? '',
    },
    ageColumn,
  ],
})
