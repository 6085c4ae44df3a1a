import type { LabelSelector } from '../generated/types.ts'
import { child, index } from '../machinery/field-errors.ts'

/** Node labels that should not be used any more, with what to say of them. */
const deprecatedNodeLabels = new Map<string, string>(
  Object.entries({
    'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
    'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    'app.kubernetes.io/created-by': 'deprecated since v1.9',
    'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
    'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
  }),
)

/** What to say of the label, or undefined. */
export const deprecatedNodeLabel = (label: string): string | undefined => deprecatedNodeLabels.get(label)

/** Warnings for deprecated node labels in a selector over nodes. */
export function nodeSelectorWarnings(selector: LabelSelector | undefined, path: string): string[] {
  const warnings: string[] = []
  for (const [i, { key }] of (selector?.matchExpressions ?? []).entries()) {
    const why = deprecatedNodeLabel(key)
    if (why) warnings.push(`${child(index(child(path, 'matchExpressions'), i), 'key')}: ${key} is ${why}`)
  }
  for (const label of Object.keys(selector?.matchLabels ?? {})) {
    const why = deprecatedNodeLabel(label)
    if (why) warnings.push(`${child(path, 'matchLabels', label)}: ${why}`)
  }
  return warnings
}
