import type { ClusterRole } from '../generated/types.ts'
import { type FieldError, index, invalid, required } from '../machinery/field-errors.ts'
import { validateLabelSelector } from '../machinery/labels.ts'
import { pathSegmentName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { plainColumns } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateRules } from './rules.ts'

export const clusterRoles = defineResource<Stored<ClusterRole>>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.rbac.v1.ClusterRole'),
  validate: (role, old) => [...validateRules(role.rules, false), ...validateAggregation(role, old)],
  validateName: pathSegmentName,
  strategy: { createOnUpdate: true },
  columns: plainColumns,
})

const selectorsPath = 'aggregationRule.clusterRoleSelectors'

function validateAggregation(role: Stored<ClusterRole>, old: Stored<ClusterRole> | undefined): FieldError[] {
  if (!role.aggregationRule) return []
  const selectors = role.aggregationRule.clusterRoleSelectors ?? []
  if (selectors.length === 0) {
    return [required(selectorsPath, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
  }
  // A selector that got in before values were checked may stay.
  const allowInvalidLabelValue = (old?.aggregationRule?.clusterRoleSelectors ?? []).some(
    (selector) => validateLabelSelector(selector, '').length > 0,
  )
  return selectors.flatMap((selector, i) => {
    const path = index(selectorsPath, i)
    const errors = validateLabelSelector(selector, path, { allowInvalidLabelValue })
    if (validateLabelSelector(selector, path).length > 0) errors.push(invalid(path, null, 'invalid label selector.'))
    return errors
  })
}
