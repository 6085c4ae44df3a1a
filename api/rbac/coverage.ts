import type { PolicyRule } from '../generated/types.ts'

/** What of `wanted` none of `held` grants, broken down to single verbs, resources and names. Empty: all is covered. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted
    .flatMap((rule) => [...breakDown(rule)])
    .filter((single) => !held.some((rule) => ruleCovers(rule, single)))
}

const has = (list: readonly string[] | undefined, item: string): boolean => list?.includes(item) ?? false
const hasAll = (list: readonly string[] | undefined, items: readonly string[] | undefined): boolean =>
  (items ?? []).every((item) => has(list, item))

function* breakDown(rule: PolicyRule): Generator<PolicyRule> {
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        const single = { apiGroups: [group], resources: [resource], verbs: [verb] }
        if (!rule.resourceNames?.length) yield single
        else for (const name of rule.resourceNames) yield { ...single, resourceNames: [name] }
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) {
    for (const verb of rule.verbs) yield { nonResourceURLs: [url], verbs: [verb] }
  }
}

function ruleCovers(held: PolicyRule, single: PolicyRule): boolean {
  return (
    (has(held.verbs, '*') || hasAll(held.verbs, single.verbs)) &&
    (has(held.apiGroups, '*') || hasAll(held.apiGroups, single.apiGroups)) &&
    (single.resources ?? []).every((resource) => resourceCovered(held.resources, resource)) &&
    (!held.resourceNames?.length ||
      (single.resourceNames !== undefined && hasAll(held.resourceNames, single.resourceNames))) &&
    (single.nonResourceURLs ?? []).every((url) => (held.nonResourceURLs ?? []).some((own) => urlCovers(own, url)))
  )
}

function resourceCovered(held: readonly string[] | undefined, resource: string): boolean {
  if (has(held, '*') || has(held, resource)) return true
  const slash = resource.indexOf('/')
  return slash >= 0 && has(held, `*/${resource.slice(slash + 1)}`)
}

/** Whether a path is among those that a pattern such as `/healthz*` means. */
export const urlCovers = (pattern: string, path: string): boolean =>
  pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')))
