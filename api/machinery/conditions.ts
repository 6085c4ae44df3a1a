import type { Condition } from '../generated/types.ts'
import { child, duplicate, type FieldError, index, invalid, notSupported, required, tooLong } from './field-errors.ts'
import { isQualifiedName } from './names.ts'

const statuses = ['False', 'True', 'Unknown']
const maxReasonBytes = 1024
const maxMessageBytes = 32 * 1024
const reasonPattern = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/
const reasonMessage =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name', or 'MY_NAME', or 'MyName', or 'ReasonA,ReasonB', or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"

/** Faults of a list of conditions of the common form. */
export function validateConditions(conditions: readonly Condition[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>()
  return (conditions ?? []).flatMap((condition, i) => {
    const at = index(path, i)
    const errors = validateCondition(condition, at)
    if (seen.has(condition.type)) errors.unshift(duplicate(child(at, 'type'), condition.type))
    seen.add(condition.type)
    return errors
  })
}

function validateCondition(condition: Condition, path: string): FieldError[] {
  const { type = '', status = '', reason = '', message = '', observedGeneration = 0 } = condition
  const errors = isQualifiedName(type).map((fault) => invalid(child(path, 'type'), type, fault))
  if (!statuses.includes(status)) errors.push(notSupported(child(path, 'status'), status, statuses))
  if (observedGeneration < 0) {
    errors.push(invalid(child(path, 'observedGeneration'), observedGeneration, 'must be greater than or equal to zero'))
  }
  if (!condition.lastTransitionTime) errors.push(required(child(path, 'lastTransitionTime')))
  if (reason === '') errors.push(required(child(path, 'reason')))
  else {
    if (!reasonPattern.test(reason)) errors.push(invalid(child(path, 'reason'), reason, reasonMessage))
    if (Buffer.byteLength(reason) > maxReasonBytes) errors.push(tooLong(child(path, 'reason'), maxReasonBytes))
  }
  if (Buffer.byteLength(message) > maxMessageBytes) errors.push(tooLong(child(path, 'message'), maxMessageBytes))
  return errors
}
