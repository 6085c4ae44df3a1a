import { type FieldError, invalid, notSupported, required } from '../../machinery/field-errors.ts'
import { inclusiveRangeError, isDNS1123Label, isValidPortName, isValidPortNum } from '../../machinery/names.ts'

/**
 * Small rules that the parts of a pod spec share. They push onto `errors` instead of returning lists, and paths below
 * `path` are put together only where there is something to report: a sound pod costs no strings.
 */

/** One error for each message. */
export function addInvalid(errors: FieldError[], path: string, value: unknown, messages: readonly string[]): void {
  for (const message of messages) errors.push(invalid(path, value, message))
}

export function checkNonNegative(errors: FieldError[], value: number | undefined, path: string, name: string): void {
  if (value !== undefined && value < 0) {
    errors.push(invalid(`${path}.${name}`, value, 'must be greater than or equal to 0'))
  }
}

/** The value must be there and one of `supported` (in the order upstream prints them). */
export function checkRequiredChoice(
  errors: FieldError[],
  value: string | undefined,
  supported: readonly string[],
  path: string,
): void {
  if (!value) errors.push(required(path))
  else if (!supported.includes(value)) errors.push(notSupported(path, value, supported))
}

/** When given, the value must be one of `supported`. */
export function checkChoice(
  errors: FieldError[],
  value: string | undefined,
  supported: readonly string[],
  path: string,
): void {
  if (value !== undefined && !supported.includes(value)) errors.push(notSupported(path, value, supported))
}

export function checkLabelName(errors: FieldError[], value: string, path: string): void {
  const messages = isDNS1123Label(value)
  if (messages.length > 0) addInvalid(errors, path, value, messages)
}

/** Linux user and group IDs. */
export function checkId(errors: FieldError[], id: number | undefined, path: string): void {
  if (id !== undefined && (id < 0 || id > 2147483647))
    errors.push(invalid(path, id, inclusiveRangeError(0, 2147483647)))
}

export function checkFileMode(errors: FieldError[], mode: number | undefined, path: string): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    errors.push(invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'))
  }
}

export const hasBacksteps = (path: string): boolean => path.includes('..') && path.split('/').includes('..')

export function checkNoBacksteps(errors: FieldError[], value: string, path: string): void {
  if (hasBacksteps(value)) errors.push(invalid(path, value, "must not contain '..'"))
}

/** A relative path that stays below where it starts. */
export function checkDescendingPath(errors: FieldError[], value: string, path: string): void {
  if (value.startsWith('/')) errors.push(invalid(path, value, 'must be a relative path'))
  checkNoBacksteps(errors, value, path)
}

/** A descending path that is none of the names the volume writer keeps for itself (`..data`). */
export function checkProjectedPath(errors: FieldError[], value: string, path: string): void {
  checkDescendingPath(errors, value, path)
  if (value.startsWith('..') && !value.startsWith('../')) {
    errors.push(invalid(path, value, "must not start with '..'"))
  }
}

/** A port by number or by name. */
export function checkPort(errors: FieldError[], port: number | string | undefined, path: string): void {
  if (typeof port === 'string') addInvalid(errors, path, port, isValidPortName(port))
  else addInvalid(errors, path, port ?? 0, isValidPortNum(port ?? 0))
}
