import type { KubeObject } from './object.ts'
import { age } from './print.ts'
import type { Column } from './resource.ts'

/** The first column of nearly every table. */
export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique among its kind within a namespace.',
  value: (object) => object.metadata.name ?? '',
}

/** Time since creation, as kubectl shows it: `5d`. */
export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created.',
  value: (object, nowMs) => age(object.metadata.creationTimestamp, nowMs),
}

/** The columns of a kind upstream has no printer for. */
export const plainColumns: readonly Column<KubeObject>[] = [
  nameColumn,
  {
    name: 'Created At',
    type: 'date',
    description: 'When the object was created.',
    value: (object) => object.metadata.creationTimestamp ?? '',
  },
]
