import type { PodDisruptionBudget, PriorityClass } from '../../api/generated/types.ts'
import { formatLabelSelector } from '../../api/machinery/labels.ts'
import { describes } from './describer.ts'
import { field, fieldIf, indent, textsOf } from './lines.ts'

/** A disruption budget: how many of its pods may be away. */
export const podDisruptionBudget = describes<PodDisruptionBudget>(({ metadata, spec, status }) => [
  field('Name', metadata.name),
  field('Namespace', metadata.namespace),
  ...(spec?.minAvailable === undefined
    ? fieldIf('Max unavailable', spec?.maxUnavailable)
    : [field('Min available', spec.minAvailable)]),
  field('Selector', spec?.selector ? formatLabelSelector(spec.selector) : '<unset>'),
  'Status:',
  ...indent(
    [
      field('Allowed disruptions', status?.disruptionsAllowed ?? 0),
      field('Current', status?.currentHealthy ?? 0),
      field('Desired', status?.desiredHealthy ?? 0),
      field('Total', status?.expectedPods ?? 0),
    ],
    2,
  ),
])

/** A priority class. */
export const priorityClass = describes<PriorityClass>((object) => [
  field('Name', object.metadata.name),
  field('Value', object.value),
  field('GlobalDefault', object.globalDefault ?? false),
  field('PreemptionPolicy', object.preemptionPolicy),
  field('Description', object.description),
  field('Annotations', textsOf(object.metadata.annotations)),
])
