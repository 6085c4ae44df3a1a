import type { AggregationRule, PolicyRule } from '../../../api/generated/types.ts'
import { labelSelectorMatcher } from '../../../api/machinery/labels.ts'
import { mergeRules } from './bootstrap.ts'
import type { RoleObject } from './policy-index.ts'

export type AggregatedRole = RoleObject & { aggregationRule?: AggregationRule }

/**
 * The rules an aggregated cluster role should have, from all cluster roles; undefined for a role without an aggregation
 * rule. Selectors in their order, the roles of each by name, no rule twice.
 */
export function aggregateRules(role: AggregatedRole, all: readonly RoleObject[]): PolicyRule[] | undefined {
  if (!role.aggregationRule) return undefined
  const rules = (role.aggregationRule.clusterRoleSelectors ?? []).map((selector) => {
    const matches = labelSelectorMatcher(selector)
    const parts = all.filter(({ metadata }) => metadata.name !== role.metadata.name && matches(metadata.labels ?? {}))
    return { metadata: {}, rules: mergeRules(parts) }
  })
  return mergeRules(rules)
}
