import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from '../../generated/types.ts'

/** All that an object must meet to count for the quota. */
export const scopesOf = ({
  scopes = [],
  scopeSelector,
}: ResourceQuotaSpec): readonly ScopedResourceSelectorRequirement[] => [
  ...scopes.map((scopeName) => ({ scopeName, operator: 'Exists' })),
  ...(scopeSelector?.matchExpressions ?? []),
]

/** Whether one of the names meets a selector; a selector of what is not there is met by having none. */
export function selectsName(
  { operator, values = [] }: ScopedResourceSelectorRequirement,
  names: readonly string[],
): boolean {
  switch (operator) {
    case 'Exists':
      return names.length > 0
    case 'DoesNotExist':
      return names.length === 0
    case 'In':
      return names.some((name) => values.includes(name))
    case 'NotIn':
      return names.length === 0 || names.some((name) => !values.includes(name))
    default:
      return false
  }
}
