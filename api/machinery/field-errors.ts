/**
 * Field errors in upstream's wording, as they appear in a Status: `spec.replicas: Invalid value: -1: must be …`.
 * Paths are plain strings built with {@link child}, {@link index} and {@link key}.
 */

/** The reasons that a Status cause can carry. */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid'

/** One fault in one field. `message` is the whole line without the path. */
export interface FieldError {
  type: FieldErrorType
  field: string
  message: string
}

/** `a.b`; an empty parent gives `b`. */
export const child = (path: string, ...names: string[]): string => {
  const tail = names.join('.')
  return path === '' ? tail : `${path}.${tail}`
}
/** `a[3]`. */
export const index = (path: string, i: number): string => `${path}[${i}]`
/** `a[name]`. */
export const key = (path: string, k: string): string => `${path}[${k}]`

/** A value as upstream prints it inside an error: strings quoted, objects as JSON. */
export function printValue(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  return typeof value === 'string'
    ? JSON.stringify(value)
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)
}

const withDetail = (text: string, detail: string) => (detail === '' ? text : `${text}: ${detail}`)

export const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  message: withDetail(`Invalid value: ${printValue(value)}`, detail),
})
export const required = (field: string, detail = ''): FieldError => ({
  type: 'FieldValueRequired',
  field,
  message: withDetail('Required value', detail),
})
export const forbidden = (field: string, detail: string): FieldError => ({
  type: 'FieldValueForbidden',
  field,
  message: withDetail('Forbidden', detail),
})
export const duplicate = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${printValue(value)}`,
})
export const notFound = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueNotFound',
  field,
  message: `Not found: ${printValue(value)}`,
})
/** `supported` is printed in the order given; upstream sorts it, so give it sorted. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: 'FieldValueNotSupported',
  field,
  message: withDetail(
    `Unsupported value: ${printValue(value)}`,
    supported.length > 0 ? `supported values: ${supported.map((s) => JSON.stringify(s)).join(', ')}` : '',
  ),
})
export const tooLong = (field: string, maxBytes: number): FieldError => ({
  type: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${maxBytes} bytes`,
})
export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  type: 'FieldValueTooMany',
  field,
  message: `Too many: ${actual}: must have at most ${max} item${max === 1 ? '' : 's'}`,
})
export const typeInvalid = (field: string, value: unknown, detail: string): FieldError => ({
  type: 'FieldValueTypeInvalid',
  field,
  message: withDetail(`Invalid value: ${printValue(value)}`, detail),
})
export const internalError = (field: string, detail: string): FieldError => ({
  type: 'InternalError',
  field,
  message: `Internal error: ${detail}`,
})

/** `path: message`, one error on a line of its own. */
export const formatFieldError = (error: FieldError): string => `${error.field}: ${error.message}`
