import { addInvalid, checkNonNegative } from '../core/pod-spec/checks.ts'
import type { JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule } from '../generated/types.ts'
import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../machinery/field-errors.ts'
import { isQualifiedName } from '../machinery/names.ts'
import { countIndexes } from './indexes.ts'

const maxRules = 20
const maxConditionPatterns = 20
const maxExitCodes = 255
const maxSucceededIndexesBytes = 64 * 1024
const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const operators = ['In', 'NotIn']
const statuses = ['False', 'True', 'Unknown']

/** A fault of a value that upstream does not print. */
export const invalidWithoutValue = (field: string, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${detail}`,
})

/** What the job makes of a failed pod. `path` is the policy's. */
export function validatePodFailurePolicy(errors: FieldError[], spec: JobSpec, path: string): void {
  const rules = spec.podFailurePolicy?.rules ?? []
  if (rules.length > maxRules) errors.push(tooMany(`${path}.rules`, rules.length, maxRules))
  for (const [i, rule] of rules.entries()) validateRule(errors, spec, rule, `${path}.rules[${i}]`)
}

function validateRule(errors: FieldError[], spec: JobSpec, rule: PodFailurePolicyRule, path: string): void {
  const { action, onExitCodes, onPodConditions = [] } = rule
  checkListed(errors, action, actions, `${path}.action`)
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'))
  }
  if (onExitCodes) validateExitCodes(errors, spec, onExitCodes, `${path}.onExitCodes`)
  if (onPodConditions.length > maxConditionPatterns) {
    errors.push(tooMany(`${path}.onPodConditions`, onPodConditions.length, maxConditionPatterns))
  }
  for (const [i, { type = '', status }] of onPodConditions.entries()) {
    const at = `${path}.onPodConditions[${i}]`
    addInvalid(errors, `${at}.type`, type, isQualifiedName(type))
    checkListed(errors, status, statuses, `${at}.status`)
  }
  if (onExitCodes && onPodConditions.length > 0) {
    errors.push(invalidWithoutValue(path, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  } else if (!onExitCodes && onPodConditions.length === 0) {
    errors.push(invalidWithoutValue(path, 'specifying one of OnExitCodes and OnPodConditions is required'))
  }
}

/** Missing values are answered with all there are. */
function checkListed(
  errors: FieldError[],
  value: string | undefined,
  supported: readonly string[],
  path: string,
): void {
  if (!value) errors.push(required(path, `valid values: [${supported.map((s) => JSON.stringify(s)).join(' ')}]`))
  else if (!supported.includes(value)) errors.push(notSupported(path, value, supported))
}

function validateExitCodes(
  errors: FieldError[],
  { template }: JobSpec,
  { operator, containerName, values = [] }: PodFailurePolicyOnExitCodesRequirement,
  path: string,
): void {
  checkListed(errors, operator, operators, `${path}.operator`)
  if (containerName !== undefined) {
    const containers = [...(template.spec?.containers ?? []), ...(template.spec?.initContainers ?? [])]
    if (!containers.some(({ name }) => name === containerName)) {
      const rule = 'must be one of the container or initContainer names in the pod template'
      errors.push(invalid(`${path}.containerName`, containerName, rule))
    }
  }
  if (values.length === 0) errors.push(invalid(`${path}.values`, values, 'at least one value is required'))
  else if (values.length > maxExitCodes) errors.push(tooMany(`${path}.values`, values.length, maxExitCodes))
  for (const [i, code] of values.entries()) {
    const at = `${path}.values[${i}]`
    if (operator === 'In' && code === 0) errors.push(invalid(at, code, 'must not be 0 for the In operator'))
    if (values.indexOf(code) < i) errors.push(duplicate(at, code))
  }
  if (values.some((code, i) => i > 0 && (values[i - 1] as number) > code)) {
    errors.push(invalid(`${path}.values`, values, 'must be ordered'))
  }
}

/** When an indexed job has succeeded before all indexes have. `path` is the policy's. */
export function validateSuccessPolicy(errors: FieldError[], spec: JobSpec, path: string): void {
  const rules = spec.successPolicy?.rules ?? []
  const completions = spec.completions ?? 0
  if (rules.length === 0) {
    const rule = 'at least one rules must be specified when the successPolicy is specified'
    errors.push(required(`${path}.rules`, rule))
  }
  if (rules.length > maxRules) errors.push(tooMany(`${path}.rules`, rules.length, maxRules))
  for (const [i, { succeededCount, succeededIndexes }] of rules.entries()) {
    const at = `${path}.rules[${i}]`
    if (succeededCount === undefined && succeededIndexes === undefined) {
      errors.push(required(at, 'at least one of succeededCount or succeededIndexes must be specified'))
    }
    let indexes = 0
    if (succeededIndexes !== undefined) {
      if (Buffer.byteLength(succeededIndexes) > maxSucceededIndexesBytes) {
        errors.push(tooLong(`${at}.succeededIndexes`, maxSucceededIndexesBytes))
      }
      try {
        indexes = countIndexes(succeededIndexes, completions)
      } catch (error) {
        const rule = `error parsing succeededIndexes: ${(error as Error).message}`
        errors.push(invalid(`${at}.succeededIndexes`, succeededIndexes, rule))
      }
    }
    if (succeededCount === undefined) continue
    checkNonNegative(errors, succeededCount, at, 'succeededCount')
    const atMost = (bound: number, what: string) =>
      errors.push(
        invalid(
          `${at}.succeededCount`,
          succeededCount,
          `must be less than or equal to ${bound} (the number of ${what})`,
        ),
      )
    if (succeededCount > completions) atMost(completions, 'specified completions')
    if (succeededIndexes !== undefined && succeededCount > indexes) {
      atMost(indexes, 'indexes in the specified succeededIndexes field')
    }
  }
}
