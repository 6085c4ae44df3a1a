import type { Toleration } from '../../api/generated/types.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { stateKey } from '../framework/cycle-state.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { refusal } from '../framework/refusal.ts'
import { tolerates, untoleratedTaint } from '../framework/tolerations.ts'
import { normalizeByLargest } from './normalize.ts'

const name = 'TaintToleration'
const untolerated = refusal(name, 'UnschedulableAndUnresolvable', 'node(s) had untolerated taint(s)')
const soft = 'PreferNoSchedule'
const softTolerations = stateKey<readonly Toleration[]>(name)

/** Keeps pods off nodes with taints that they do not tolerate, and prefers nodes with fewer of the soft kind. */
export const taintToleration: Plugin = {
  name,
  basis: {
    filter: 'node',
    score: 'kind',
    kinds: (_state, pod) => {
      const tolerations = softOnes(pod)
      return { key: '', of: (node) => untoleratedSoft(tolerations, node) }
    },
  },
  hints: [
    {
      on: ['Node/Add', 'Node/UpdateTaint'],
      worthATry: ({ tolerations }, { node }) => {
        const { before, after } = node ?? {}
        const wasKeptOff = !before || untoleratedTaint(before.spec?.taints ?? [], tolerations) !== undefined
        return wasKeptOff && untoleratedTaint(after?.spec?.taints ?? [], tolerations) === undefined
      },
    },
    { on: ['Pod/UpdateToleration'], worthATry: (pod, { pod: changed }) => changed?.after?.uid === pod.uid },
  ],
  filter: (_state, pod, node) =>
    node.taints.length > 0 && untoleratedTaint(node.taints, pod.tolerations) ? untolerated : undefined,
  preScore(state, pod, nodes) {
    // Where no node has a soft taint, all would score alike.
    if (!nodes.some(({ taints }) => taints.some(({ effect }) => effect === soft))) return 'skip'
    state.write(softTolerations, softOnes(pod))
    return undefined
  },
  score: (state, _pod, node) => untoleratedSoft(state.read(softTolerations), node),
  normalize: (_state, _pod, scores) => normalizeByLargest(scores, { reverse: true }),
}

const softOnes = ({ tolerations }: PodInfo): readonly Toleration[] =>
  tolerations.filter(({ effect }) => !effect || effect === soft)

const untoleratedSoft = (tolerations: readonly Toleration[], { taints }: NodeInfo): number =>
  taints.length === 0 ? 0 : taints.filter((taint) => taint.effect === soft && !tolerates(tolerations, taint)).length
