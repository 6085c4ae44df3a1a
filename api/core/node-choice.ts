import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../generated/types.ts'
import type { Labels } from '../machinery/labels.ts'

/** What a node is chosen by. */
export interface NodeIdentity {
  readonly name: string
  readonly labels: Labels
}

export type NodeTest = (node: NodeIdentity) => boolean

/** Whether a node satisfies the pod's nodeSelector and required node affinity; undefined where it asks for nothing. */
export function requiredNodeTest({ spec }: { spec?: PodSpec }): NodeTest | undefined {
  const chosen = spec?.nodeSelector
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const pairs = chosen && Object.entries(chosen)
  const test = required && nodeSelectorTest(required)
  if (!pairs) return test
  return (node) => pairs.every(([key, value]) => node.labels[key] === value) && (!test || test(node))
}

/** Whether a node satisfies one of the selector's terms; a selector without terms matches none. */
export function nodeSelectorTest(selector: NodeSelector): NodeTest {
  const tests = selector.nodeSelectorTerms.flatMap((term) => termTest(term) ?? [])
  return (node) => tests.some((test) => test(node))
}

/** Undefined for a term without requirements, which matches no node. */
export function termTest({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): NodeTest | undefined {
  if (matchExpressions.length === 0 && matchFields.length === 0) return undefined
  const tests = [
    ...matchExpressions.map((requirement): NodeTest => {
      const test = requirementTest(requirement)
      return ({ labels }) => test(Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined)
    }),
    ...matchFields.map((requirement): NodeTest => {
      const test = requirementTest(requirement)
      return ({ name }) => test(requirement.key === 'metadata.name' ? name : undefined)
    }),
  ]
  return (node) => tests.every((test) => test(node))
}

function requirementTest({ operator, values = [] }: NodeSelectorRequirement): (value: string | undefined) => boolean {
  switch (operator) {
    case 'In':
      return (value) => value !== undefined && values.includes(value)
    case 'NotIn':
      return (value) => value === undefined || !values.includes(value)
    case 'Exists':
      return (value) => value !== undefined
    case 'DoesNotExist':
      return (value) => value === undefined
    case 'Gt':
    case 'Lt': {
      const bound = wholeNumber(values[0])
      return (value) => {
        const number = wholeNumber(value)
        if (number === undefined || bound === undefined) return false
        return operator === 'Gt' ? number > bound : number < bound
      }
    }
    default:
      return () => false
  }
}

const wholeNumber = (text: string | undefined): bigint | undefined =>
  text !== undefined && /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined
