import type { IntOrString } from '../generated/types.ts'
import { type FieldError, invalid } from './field-errors.ts'
import { isPercent } from './names.ts'

/** The percentage that a string names; undefined for anything else. */
export function percentOf(value: IntOrString | undefined): number | undefined {
  if (typeof value !== 'string' || !/^\d+%$/.test(value)) return undefined
  return Number(value.slice(0, -1))
}

/**
 * A number as it is, or a percentage of `total`, rounded up or down. Throws an Error for a string that is no
 * percentage.
 */
export function getScaledValue(value: IntOrString, total: number, roundUp: boolean): number {
  if (typeof value === 'number') return value
  const percent = percentOf(value)
  if (percent === undefined) throw new Error(`invalid value for IntOrString: invalid type: string is not a percentage`)
  const exact = (percent * total) / 100
  return roundUp ? Math.ceil(exact) : Math.floor(exact)
}

/** Faults of a value that must be a number of at least 0, or a percentage. */
export function validatePositiveIntOrPercent(value: IntOrString | undefined, path: string): FieldError[] {
  if (typeof value === 'string') return isPercent(value).map((message) => invalid(path, value, message))
  return (value ?? 0) < 0 ? [invalid(path, value, 'must be greater than or equal to 0')] : []
}

/** Faults of a percentage over 100. */
export function isNotMoreThan100Percent(value: IntOrString | undefined, path: string): FieldError[] {
  const percent = percentOf(value)
  return percent !== undefined && percent > 100 ? [invalid(path, value, 'must not be greater than 100%')] : []
}
