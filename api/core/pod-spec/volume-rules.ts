import type { Volume } from '../../generated/types.ts'
import type { FieldError } from '../../machinery/field-errors.ts'
import type { PodValidationOptions } from './options.ts'

/** The types of volume sources. */
export type VolumeType = Exclude<keyof Volume, 'name'>

/** Checks one source; `path` is its own. */
export type VolumeRule<K extends VolumeType> = (
  errors: FieldError[],
  source: NonNullable<Volume[K]>,
  path: string,
  options: PodValidationOptions,
) => void

export type VolumeRules = { readonly [K in VolumeType]?: VolumeRule<K> }
