import { type FieldError, invalid } from './field-errors.ts'

/** Rules for a single field that many kinds share, in upstream's wording. */

/** The field may not change. Absent, empty list and empty map count as equal, as upstream's semantic equality has it. */
export const immutable = (value: unknown, old: unknown, path: string): FieldError[] =>
  semanticEqual(value, old) ? [] : [invalid(path, value, 'field is immutable')]

/** The number is at least 0. */
export const nonNegative = (value: number, path: string): FieldError[] =>
  value < 0 ? [invalid(path, value, 'must be greater than or equal to 0')] : []

/** Deep equality of decoded objects; absent, empty list and empty map are one. */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (a === b || (isEmpty(a) && isEmpty(b))) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, i) => semanticEqual(item, b[i]))
  }
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  for (const key of Object.keys(left)) if (!semanticEqual(left[key], right[key])) return false
  for (const key of Object.keys(right)) if (!Object.hasOwn(left, key) && !isEmpty(right[key])) return false
  return true
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true
  if (typeof value !== 'object') return false
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0
}
