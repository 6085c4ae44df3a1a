import type {
  LabelSelector,
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
  Taint,
} from '../../../api/generated/types.ts'
import type { Labels } from '../../../api/machinery/labels.ts'
import type { Live } from '../../../client/types.ts'

/** A selector that is left out selects nothing, an empty one everything. */
export function selects(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels[key] !== value) return false
  return (selector.matchExpressions ?? []).every((requirement) => satisfies(requirement, labels[requirement.key]))
}

function satisfies(
  { operator, values = [] }: { operator: string; values?: readonly string[] },
  value: string | undefined,
): boolean {
  if (operator === 'In') return value !== undefined && values.includes(value)
  if (operator === 'NotIn') return value === undefined || !values.includes(value)
  if (operator === 'Exists') return value !== undefined
  if (operator === 'DoesNotExist') return value === undefined
  const [number, bound] = [Number(value), Number(values[0])]
  if (!Number.isInteger(number) || !Number.isInteger(bound)) return false
  return operator === 'Gt' ? number > bound : number < bound
}

/** Whether the node is what one term asks for; a term that asks for nothing matches no node. */
export function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Live<Node>): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  const field = ({ key }: NodeSelectorRequirement) => (key === 'metadata.name' ? node.metadata.name : undefined)
  return (
    matchExpressions.every((requirement) => satisfies(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => satisfies(requirement, field(requirement)))
  )
}

/** The pod's node selector and its required node affinity, both. */
export function matchesNode({ spec }: Live<Pod>, node: Live<Node>): boolean {
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {})) {
    if (node.metadata.labels?.[key] !== value) return false
  }
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(term, node))
}

export function toleratesTaint({ spec }: Live<Pod>, taint: Taint): boolean {
  return (spec?.tolerations ?? []).some(({ key, operator, value, effect }) => {
    if (effect && effect !== taint.effect) return false
    if (key && key !== taint.key) return false
    return operator === 'Exists' || (value ?? '') === (taint.value ?? '')
  })
}

/** Whether no taint of the node keeps the pod off. */
export const toleratesNode = (pod: Live<Pod>, node: Live<Node>): boolean =>
  (node.spec?.taints ?? []).every((taint) => taint.effect === 'PreferNoSchedule' || toleratesTaint(pod, taint))
