import type { Taint } from '../generated/types.ts'
import {
  child,
  type FieldError,
  index,
  invalid,
  notSupported,
  printValue,
  required,
} from '../machinery/field-errors.ts'
import { isQualifiedName, isValidLabelValue } from '../machinery/names.ts'

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** Faults of the taints of a node; key and effect together must be unique. */
export function validateTaints(taints: readonly Taint[], path: string): FieldError[] {
  const seen = new Set<string>()
  return taints.flatMap((taint, i) => {
    const at = index(path, i)
    const { key, value = '', effect = '' } = taint
    const errors = isQualifiedName(key).map((fault) => invalid(child(at, 'key'), key, fault))
    const valueFaults = isValidLabelValue(value)
    if (valueFaults.length > 0) errors.push(invalid(child(at, 'value'), value, valueFaults.join(';')))
    if (effect === '') errors.push(required(child(at, 'effect')))
    else if (!effects.includes(effect)) errors.push(notSupported(child(at, 'effect'), effect, effects))
    const identity = `${key}:${effect}`
    if (seen.has(identity)) errors.push(doubled(at, taint))
    seen.add(identity)
    return errors
  })
}

function doubled(field: string, { key, value = '', effect, timeAdded }: Taint): FieldError {
  const shown = printValue({ Key: key, Value: value, Effect: effect, TimeAdded: timeAdded ?? null })
  return {
    type: 'FieldValueDuplicate',
    field,
    message: `Duplicate value: ${shown}: taints must be unique by key and effect pair`,
  }
}
