import type { Scale } from '../generated/types.ts'
import type { FieldError } from '../machinery/field-errors.ts'
import { nonNegative } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import type { Column } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

/** Body of the scale subresource of workloads, autoscaling/v1. */
export const scaleSchema = builtinSchema('io.k8s.api.autoscaling.v1.Scale')

/** Faults of a scale handed in; its metadata is checked as any object's. */
export const validateScale = (scale: Stored<Scale>): FieldError[] =>
  nonNegative(scale.spec?.replicas ?? 0, 'spec.replicas')

export const scaleColumns: readonly Column<Stored<Scale>>[] = [
  { ...nameColumn, format: '' },
  {
    name: 'Desired',
    type: 'integer',
    description: 'Number of instances asked for.',
    value: ({ spec }) => spec?.replicas ?? 0,
  },
  {
    name: 'Available',
    type: 'integer',
    description: 'Number of instances there are.',
    value: ({ status }) => status?.replicas ?? 0,
  },
  ageColumn,
]
