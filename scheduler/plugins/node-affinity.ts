import type { NodeSelectorTerm } from '../../api/generated/types.ts'
import { stateKey } from '../framework/cycle-state.ts'
import { type NodeTest, requiredNodeTest, termTest } from '../framework/node-affinity.ts'
import type { Plugin, PreFilterOutcome } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { refusal } from '../framework/refusal.ts'
import { normalizeByLargest } from './normalize.ts'

const name = 'NodeAffinity'
const unmatched = refusal(name, 'UnschedulableAndUnresolvable', "node(s) didn't match Pod's node affinity/selector")
const conflict = refusal(name, 'UnschedulableAndUnresolvable', 'pod affinity terms conflict')
const required = stateKey<NodeTest>(`${name} required`)
const preferred = stateKey<readonly { weight: number; test: NodeTest }[]>(`${name} preferred`)

/** nodeSelector and node affinity: where a pod must and where it would rather run. */
export const nodeAffinity: Plugin = {
  name,
  hints: [
    {
      on: ['Node/Add', 'Node/UpdateLabel'],
      worthATry: ({ pod }, { node }) => {
        const test = requiredNodeTest(pod)
        if (!test) return true
        const matches = (metadata = node?.after?.metadata) =>
          metadata !== undefined && test({ name: metadata.name, labels: metadata.labels ?? {} })
        return matches() && !(node?.before && matches(node.before.metadata))
      },
    },
  ],
  preFilter(state, pod) {
    const test = requiredNodeTest(pod.pod)
    if (!test) return 'skip'
    state.write(required, test)
    return nodesByName(pod)
  },
  filter: (state, _pod, node) => (state.read(required)(node) ? undefined : unmatched),
  preScore(state, { pod }) {
    const terms = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution
    if (!terms) return 'skip'
    const tests = terms.flatMap(({ weight, preference }) => {
      const test = weight === 0 ? undefined : termTest(preference)
      return test ? [{ weight, test }] : []
    })
    state.write(preferred, tests)
    return undefined
  },
  score: (state, _pod, node) =>
    state.read(preferred).reduce((sum, { weight, test }) => (test(node) ? sum + weight : sum), 0),
  normalize: (_state, _pod, scores) => normalizeByLargest(scores),
}

/** Where every term names nodes (pods of a daemon set do), no other node need be looked at. */
function nodesByName({ pod }: PodInfo): PreFilterOutcome {
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  if (terms.length === 0) return undefined
  const nodes = new Set<string>()
  for (const term of terms) {
    const named = namedBy(term)
    if (!named) return undefined
    for (const node of named) nodes.add(node)
  }
  return nodes.size === 0 ? conflict : { nodes }
}

function namedBy({ matchFields = [] }: NodeSelectorTerm): string[] | undefined {
  const lists = matchFields.flatMap(({ key, operator, values = [] }) =>
    key === 'metadata.name' && operator === 'In' ? [values] : [],
  )
  const [first, ...rest] = lists
  return first?.filter((node) => rest.every((list) => list.includes(node)))
}
