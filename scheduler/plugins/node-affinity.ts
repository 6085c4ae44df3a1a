import type { NodeSelectorTerm, PreferredSchedulingTerm } from '../../api/generated/types.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { stateKey } from '../framework/cycle-state.ts'
import { type NodeTest, nodeSelectorTest, requiredNodeTest, termTest } from '../framework/node-affinity.ts'
import type { Plugin, PreFilterOutcome } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { refusal } from '../framework/refusal.ts'
import { defaultArgs } from './args.ts'
import { normalizeByLargest } from './normalize.ts'

const name = 'NodeAffinity'
const unmatched = refusal(name, 'UnschedulableAndUnresolvable', "node(s) didn't match Pod's node affinity/selector")
const notAdded = refusal(name, 'UnschedulableAndUnresolvable', "node(s) didn't match scheduler-enforced node affinity")
const conflict = refusal(name, 'UnschedulableAndUnresolvable', 'pod affinity terms conflict')
const required = stateKey<NodeTest>(`${name} required`)
const preferred = stateKey<readonly WeightedTest[]>(`${name} preferred`)

interface WeightedTest {
  readonly weight: number
  readonly test: NodeTest
}

const anyNode: NodeTest = () => true

/** nodeSelector and node affinity: where a pod must and where it would rather run. What is added holds for every pod. */
export function newNodeAffinity({ addedAffinity } = defaultArgs.NodeAffinity): Plugin {
  const {
    requiredDuringSchedulingIgnoredDuringExecution: must,
    preferredDuringSchedulingIgnoredDuringExecution: rather,
  } = addedAffinity ?? {}
  const added = must && nodeSelectorTest(must)
  const addedTests = testsOf(rather)
  return {
    name,
    basis: {
      filter: 'node',
      score: 'kind',
      kinds(state, pod) {
        const wishes = wishesOf(pod)
        if (wishes.length === 0) return undefined
        state.write(preferred, wishes)
        return { key: '', of: (node) => sumOf(wishes, node) }
      },
    },
    hints: [
      {
        on: ['Node/Add', 'Node/UpdateLabel'],
        worthATry: ({ pod }, { node }) => {
          const test = requiredNodeTest(pod)
          const matches = (metadata = node?.after?.metadata) => {
            if (metadata === undefined) return false
            const identity = { name: metadata.name, labels: metadata.labels ?? {} }
            return (!added || added(identity)) && (!test || test(identity))
          }
          return matches() && !(node?.before && (test || added) && matches(node.before.metadata))
        },
      },
    ],
    preFilter(state, pod) {
      const test = requiredNodeTest(pod.pod)
      if (!test && !added) return 'skip'
      state.write(required, test ?? anyNode)
      return nodesByName(pod)
    },
    filter(state, _pod, node) {
      if (added && !added(node)) return notAdded
      return state.read(required)(node) ? undefined : unmatched
    },
    preScore(state, pod) {
      if (state.find(preferred)) return undefined
      const wishes = wishesOf(pod)
      if (wishes.length === 0) return 'skip'
      state.write(preferred, wishes)
      return undefined
    },
    score: (state, _pod, node) => sumOf(state.read(preferred), node),
    normalize: (_state, _pod, scores) => normalizeByLargest(scores),
  }

  function wishesOf({ pod }: PodInfo): readonly WeightedTest[] {
    const terms = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution
    return terms ? [...addedTests, ...testsOf(terms)] : addedTests
  }
}

const sumOf = (wishes: readonly WeightedTest[], node: NodeInfo): number =>
  wishes.reduce((sum, { weight, test }) => (test(node) ? sum + weight : sum), 0)

const testsOf = (terms: readonly PreferredSchedulingTerm[] = []): WeightedTest[] =>
  terms.flatMap(({ weight, preference }) => {
    const test = weight === 0 ? undefined : termTest(preference)
    return test ? [{ weight, test }] : []
  })

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
