import type { IntOrString, PodDisruptionBudget, PodDisruptionBudgetSpec } from '../generated/types.ts'
import { validateConditions } from '../machinery/conditions.ts'
import { type FieldError, invalid, notSupported } from '../machinery/field-errors.ts'
import { nonNegative } from '../machinery/field-rules.ts'
import { isNotMoreThan100Percent, validatePositiveIntOrPercent } from '../machinery/int-or-string.ts'
import { validateLabelSelector } from '../machinery/labels.ts'
import { pathSegmentName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

export const podDisruptionBudgets = defineResource<Stored<PodDisruptionBudget>>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.policy.v1.PodDisruptionBudget'),
  validate: (budget, old) => validateSpec(budget.spec ?? {}, old?.spec),
  validateStatus,
  // Upstream asks no more of the name than that it fits into a path.
  validateName: pathSegmentName,
  strategy: { status: true, generation: 'spec', unconditionalUpdate: false },
  columns: [
    nameColumn,
    {
      name: 'Min Available',
      type: 'string',
      description: 'The minimum number of pods that must be available.',
      value: (budget) => String(budget.spec?.minAvailable ?? 'N/A'),
    },
    {
      name: 'Max Unavailable',
      type: 'string',
      description: 'The maximum number of pods that may be unavailable.',
      value: (budget) => String(budget.spec?.maxUnavailable ?? 'N/A'),
    },
    {
      name: 'Allowed Disruptions',
      type: 'integer',
      description: 'Number of pods that may be disrupted now.',
      value: (budget) => budget.status?.disruptionsAllowed ?? 0,
    },
    ageColumn,
  ],
})

const evictionPolicies = ['AlwaysAllow', 'IfHealthyBudget']

function validateSpec(spec: PodDisruptionBudgetSpec, old: PodDisruptionBudgetSpec | undefined): FieldError[] {
  const errors: FieldError[] = []
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
  }
  errors.push(...validateBound(minAvailable, 'spec.minAvailable'))
  errors.push(...validateBound(maxUnavailable, 'spec.maxUnavailable'))
  const allowInvalidLabelValue = validateLabelSelector(old?.selector, '').length > 0
  errors.push(...validateLabelSelector(selector, 'spec.selector', { allowInvalidLabelValue }))
  if (unhealthyPodEvictionPolicy !== undefined && !evictionPolicies.includes(unhealthyPodEvictionPolicy)) {
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', unhealthyPodEvictionPolicy, evictionPolicies))
  }
  return errors
}

const validateBound = (bound: IntOrString | undefined, path: string): FieldError[] =>
  bound === undefined ? [] : [...validatePositiveIntOrPercent(bound, path), ...isNotMoreThan100Percent(bound, path)]

const counts = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const

function validateStatus({ status }: Stored<PodDisruptionBudget>): FieldError[] {
  return [
    ...validateConditions(status?.conditions, 'status.conditions'),
    ...counts.flatMap((count) => nonNegative(status?.[count] ?? 0, `status.${count}`)),
  ]
}
