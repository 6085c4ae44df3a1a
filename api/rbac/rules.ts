import type { PolicyRule } from '../generated/types.ts'
import { child, type FieldError, index, invalid, required } from '../machinery/field-errors.ts'

/** Faults of the rules of a Role (`namespaced`) or a ClusterRole. */
export function validateRules(rules: readonly PolicyRule[] | undefined, namespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, i) => validateRule(rule, namespaced, index('rules', i)))
}

function validateRule(rule: PolicyRule, namespaced: boolean, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (!rule.verbs?.length) errors.push(required(child(path, 'verbs'), 'verbs must contain at least one value'))
  if (rule.nonResourceURLs?.length) {
    const urls = child(path, 'nonResourceURLs')
    if (namespaced) {
      errors.push(invalid(urls, rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    }
    if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) {
      errors.push(
        invalid(urls, rule.nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'),
      )
    }
    return errors
  }
  if (!rule.apiGroups?.length) {
    errors.push(required(child(path, 'apiGroups'), 'resource rules must supply at least one api group'))
  }
  if (!rule.resources?.length) {
    errors.push(required(child(path, 'resources'), 'resource rules must supply at least one resource'))
  }
  return errors
}
