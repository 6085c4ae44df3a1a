import type { ClusterRole, PolicyRule } from '../generated/types.ts'
import { labelSelectorMatcher } from '../machinery/labels.ts'

/** A role as far as its rules are concerned. */
interface Rules {
  metadata?: { name?: string; labels?: Record<string, string> }
  /** Upstream's servers say null where there are none. */
  rules?: PolicyRule[] | null
}

/**
 * The rules an aggregated cluster role should have, from all cluster roles; undefined for a role without an aggregation
 * rule. Selectors in their order, the roles of each by name, no rule twice.
 */
export function aggregateRules(
  role: Rules & Pick<ClusterRole, 'aggregationRule'>,
  all: readonly Rules[],
): PolicyRule[] | undefined {
  if (!role.aggregationRule) return undefined
  const rules = (role.aggregationRule.clusterRoleSelectors ?? []).map((selector) => {
    const matches = labelSelectorMatcher(selector)
    const parts = all.filter(
      ({ metadata }) => metadata?.name !== role.metadata?.name && matches(metadata?.labels ?? {}),
    )
    return { rules: mergeRules(parts) }
  })
  return mergeRules(rules)
}

/** The rules of several roles in the order of their names, no rule twice. */
export function mergeRules(roles: readonly Rules[]): PolicyRule[] {
  const byName = [...roles].sort((a, b) => compare(a.metadata?.name ?? '', b.metadata?.name ?? ''))
  const merged = new Map<string, PolicyRule>()
  for (const { rules } of byName) {
    for (const rule of rules ?? []) {
      const { apiGroups, resources, resourceNames, nonResourceURLs, verbs } = rule
      const key = JSON.stringify([apiGroups, resources, resourceNames, nonResourceURLs, verbs])
      if (!merged.has(key)) merged.set(key, rule)
    }
  }
  return [...merged.values()]
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
