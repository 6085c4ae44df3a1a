import type { V2CrossVersionObjectReference } from '../generated/types.ts'
import { child, type FieldError, invalid, required } from '../machinery/field-errors.ts'
import { pathSegmentName } from '../machinery/names.ts'

/** Which API versions a reference to an object may name. */
export interface ReferenceRules {
  emptyGroup: boolean
  invalidVersion: boolean
}

/** Faults of a reference to an object of any kind in the same namespace. */
export function validateReference(
  reference: V2CrossVersionObjectReference | undefined,
  path: string,
  rules: ReferenceRules,
): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['kind', 'name'] as const) {
    const value = reference?.[field] ?? ''
    if (value === '') errors.push(required(child(path, field)))
    else errors.push(...pathSegmentName(value, false).map((message) => invalid(child(path, field), value, message)))
  }
  const apiVersion = reference?.apiVersion ?? ''
  const fault = versionFault(apiVersion, rules)
  if (fault) errors.push(invalid(child(path, 'apiVersion'), apiVersion, fault))
  return errors
}

/** What is wrong with the version that a reference names; undefined: nothing. */
export function versionFault(apiVersion: string, rules: ReferenceRules): string | undefined {
  if (rules.invalidVersion) return undefined
  const parts = apiVersion.split('/')
  if (parts.length > 2) return `unexpected GroupVersion string: ${apiVersion}`
  const group = parts.length === 2 ? parts[0] : ''
  return group === '' && !rules.emptyGroup ? 'apiVersion must specify API group' : undefined
}
