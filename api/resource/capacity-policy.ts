import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from '../generated/types.ts'
import { child, type FieldError, forbidden, index, invalid, required } from '../machinery/field-errors.ts'
import { addQuantity, compareQuantity, quantityValue } from '../machinery/quantity.ts'
import { eachUnique } from './checks.ts'

const maxValidValues = 10

/** Faults of the capacity of a device. How much of it one may ask for matters only where several may have it. */
export function validateCapacity(capacity: DeviceCapacity, path: string, shared: boolean): FieldError[] {
  const policy = capacity.requestPolicy
  if (!policy) return []
  const at = child(path, 'requestPolicy')
  return shared
    ? validatePolicy(policy, capacity.value ?? '0', at)
    : [forbidden(at, 'allowMultipleAllocations must be true')]
}

function validatePolicy(policy: CapacityRequestPolicy, capacity: string, path: string): FieldError[] {
  const { validValues = [], validRange, default: byDefault } = policy
  if (validValues.length > 0 && validRange) {
    return [
      forbidden(
        path,
        'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
      ),
    ]
  }
  const what = validValues.length > 0 ? 'validValues' : validRange ? 'validRange' : undefined
  if (!what) return []
  if (byDefault === undefined) return [required(child(path, 'default'), `required when ${what} is defined`)]
  return validRange
    ? validateRange(byDefault, capacity, validRange, child(path, 'validRange'))
    : validateValues(byDefault, capacity, validValues, child(path, 'validValues'))
}

function validateValues(byDefault: string, capacity: string, values: readonly string[], path: string): FieldError[] {
  const errors = values.flatMap((value, i) => {
    const next = values[i + 1]
    return next !== undefined && compareQuantity(value, next) > 0
      ? [invalid(index(path, i + 1), next, 'values must be sorted in ascending order')]
      : []
  })
  errors.push(
    ...eachUnique(
      values,
      maxValidValues,
      path,
      (value, at) =>
        compareQuantity(value, capacity) > 0
          ? [invalid(at, value, `option is larger than capacity value: ${capacity}`)]
          : [],
      (value) => String(quantityValue(value)),
    ),
  )
  const looked = values.length <= maxValidValues
  if (!looked || !values.some((value) => compareQuantity(value, byDefault) === 0)) {
    errors.push(invalid(path, byDefault, 'default value is not valid according to the requestPolicy'))
  }
  return errors
}

function validateRange(
  byDefault: string,
  capacity: string,
  { min, max, step }: CapacityRequestPolicyRange,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  const minPath = child(path, 'min')
  const maxPath = child(path, 'max')
  const stepPath = child(path, 'step')
  if (min === undefined) return [required(minPath, 'required when validRange is defined')]
  const above = (a: string, b: string) => compareQuantity(a, b) > 0
  if (above(min, capacity)) errors.push(invalid(minPath, min, `min is larger than capacity value: ${capacity}`))
  if (above(min, byDefault)) errors.push(invalid(minPath, byDefault, `default is less than min: ${min}`))
  if (max !== undefined) {
    if (above(min, max)) errors.push(invalid(maxPath, min, `min is larger than max: ${max}`))
    if (above(max, capacity)) errors.push(invalid(maxPath, max, `max is larger than capacity value: ${capacity}`))
    if (above(byDefault, max)) errors.push(invalid(maxPath, byDefault, `default is more than max: ${max}`))
  }
  if (step === undefined) return errors
  const first = addQuantity(min, step)
  if (above(first, capacity)) {
    errors.push(invalid(stepPath, step, `one step ${first} is larger than capacity value: ${capacity}`))
  }
  for (const value of max === undefined ? [byDefault] : [byDefault, max]) {
    if ((quantityValue(value) - quantityValue(min)) % quantityValue(step) !== 0) {
      errors.push(invalid(stepPath, value, `value is not a multiple of a given step (${step}) from (${min})`))
    }
  }
  return errors
}
