import type { PolicyRule } from '../../../api/generated/types.ts'
import { urlCovers } from '../../../api/rbac/coverage.ts'
import type { AuthorizationAttributes } from '../types.ts'

const has = (list: readonly string[] | undefined, item: string): boolean => list?.includes(item) ?? false

/** Whether the rule is about the request's verb, group and resource, or its path, whatever the object's name. */
export function ruleMatches(rule: PolicyRule, attributes: AuthorizationAttributes): boolean {
  const { verb, group, resource, subresource, path } = attributes
  if (!has(rule.verbs, '*') && !has(rule.verbs, verb)) return false
  if (path !== '') return (rule.nonResourceURLs ?? []).some((url) => urlCovers(url, path))
  if (!has(rule.apiGroups, '*') && !has(rule.apiGroups, group)) return false
  const whole = subresource === '' ? resource : `${resource}/${subresource}`
  return (rule.resources ?? []).some(
    (allowed) => allowed === '*' || allowed === whole || (subresource !== '' && allowed === `*/${subresource}`),
  )
}

/** Whether `rule` lets the request through. */
export function ruleAllows(rule: PolicyRule, attributes: AuthorizationAttributes): boolean {
  if (!ruleMatches(rule, attributes)) return false
  return attributes.path !== '' || !rule.resourceNames?.length || rule.resourceNames.includes(attributes.name)
}

/** Puts single rules that differ by their verb only together again, each as upstream prints it. Sorted, no doubles. */
export function describeRules(rules: readonly PolicyRule[]): string[] {
  const compact = new Map<string, PolicyRule>()
  const rest: PolicyRule[] = []
  for (const rule of rules) {
    if (rule.nonResourceURLs) {
      rest.push(rule)
      continue
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames])
    const known = compact.get(key)
    if (known) known.verbs.push(...rule.verbs)
    else compact.set(key, { ...rule, verbs: [...rule.verbs] })
  }
  return [...new Set([...rest, ...compact.values()].map(describe))].sort()
}

function describe(rule: PolicyRule): string {
  const part = (title: string, values: readonly string[] | undefined) =>
    values?.length ? [`${title}:[${values.map((value) => JSON.stringify(value)).join(' ')}]`] : []
  return `{${[
    ...part('APIGroups', rule.apiGroups),
    ...part('Resources', rule.resources),
    ...part('NonResourceURLs', rule.nonResourceURLs),
    ...part('ResourceNames', rule.resourceNames),
    ...part('Verbs', rule.verbs),
  ].join(', ')}}`
}
