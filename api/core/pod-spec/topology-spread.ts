import type { TopologySpreadConstraint } from '../../generated/types.ts'
import { duplicate, type FieldError, forbidden, invalid, required } from '../../machinery/field-errors.ts'
import { validateLabelSelector } from '../../machinery/labels.ts'
import { isQualifiedName } from '../../machinery/names.ts'
import { validateMatchLabelKeys } from './affinity.ts'
import { addInvalid, checkChoice } from './checks.ts'
import type { PodValidationOptions } from './options.ts'

const scheduleActions = ['DoNotSchedule', 'ScheduleAnyway']
const inclusionPolicies = ['Honor', 'Ignore']

/** How evenly pods shall lie over zones, nodes or other domains. */
export function validateTopologySpread(
  errors: FieldError[],
  constraints: readonly TopologySpreadConstraint[],
  path: string,
  options: PodValidationOptions,
): void {
  for (const [i, constraint] of constraints.entries()) {
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '', minDomains, labelSelector } = constraint
    const at = `${path}[${i}]`
    if (maxSkew <= 0) errors.push(invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'))
    if (!topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'))
    checkChoice(errors, whenUnsatisfiable, scheduleActions, `${at}.whenUnsatisfiable`)
    const isRepeated = constraints
      .slice(i + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    if (isRepeated) {
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`))
    }
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(invalid(`${at}.minDomains`, minDomains, 'must be greater than zero'))
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const rule = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`
        errors.push(invalid(`${at}.minDomains`, minDomains, rule))
      }
    }
    checkChoice(errors, constraint.nodeAffinityPolicy, inclusionPolicies, `${at}.nodeAffinityPolicy`)
    checkChoice(errors, constraint.nodeTaintsPolicy, inclusionPolicies, `${at}.nodeTaintsPolicy`)
    if (options.allowInvalidSpreadLabelKeys) validateKeysBeforeMerging(errors, constraint, `${at}.matchLabelKeys`)
    else validateMatchLabelKeys(errors, constraint.matchLabelKeys, undefined, labelSelector, at)
    if (labelSelector && !options.allowInvalidSpreadSelectors) {
      errors.push(...validateLabelSelector(labelSelector, `${at}.labelSelector`))
    }
  }
}

/** Some constraint has a selector that today's rules refuse. */
export const hasInvalidSpreadSelector = (constraints: readonly TopologySpreadConstraint[] | undefined): boolean =>
  (constraints ?? []).some(({ labelSelector }) => labelSelector && validateLabelSelector(labelSelector, '').length > 0)

/** Some constraint has label keys that today's rules refuse. */
export function hasInvalidSpreadLabelKeys(constraints: readonly TopologySpreadConstraint[] | undefined): boolean {
  const errors: FieldError[] = []
  for (const { matchLabelKeys, labelSelector } of constraints ?? []) {
    validateMatchLabelKeys(errors, matchLabelKeys, undefined, labelSelector, '')
  }
  return errors.length > 0
}

/** The rules for keys from before the server wrote them into the selector. */
function validateKeysBeforeMerging(errors: FieldError[], constraint: TopologySpreadConstraint, path: string): void {
  const { matchLabelKeys = [], labelSelector } = constraint
  if (matchLabelKeys.length === 0) return
  if (!labelSelector) errors.push(forbidden(path, 'must not be specified when labelSelector is not set'))
  const selected = new Set([
    ...Object.keys(labelSelector?.matchLabels ?? {}),
    ...(labelSelector?.matchExpressions ?? []).map(({ key }) => key),
  ])
  for (const [i, key] of matchLabelKeys.entries()) {
    addInvalid(errors, `${path}[${i}]`, key, isQualifiedName(key))
    if (selected.has(key)) {
      errors.push(invalid(`${path}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'))
    }
  }
}
