import type { Plugin } from '../framework/plugin.ts'
import { refusal } from '../framework/refusal.ts'
import { tolerates } from '../framework/tolerations.ts'

const name = 'NodeUnschedulable'
const closed = refusal(name, 'UnschedulableAndUnresolvable', 'node(s) were unschedulable')
const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** Keeps pods off cordoned nodes, but for those that tolerate the taint such a node gets. */
export const nodeUnschedulable: Plugin = {
  name,
  basis: { filter: 'node' },
  hints: [
    {
      on: ['Node/Add', 'Node/UpdateTaint'],
      worthATry: (_pod, { node }) =>
        node?.after?.spec?.unschedulable !== true && (!node?.before || node.before.spec?.unschedulable === true),
    },
    {
      on: ['Pod/UpdateToleration'],
      worthATry: (pod, { pod: changed }) =>
        changed?.after?.uid === pod.uid && tolerates(changed.after.tolerations, taint),
    },
  ],
  filter: (_state, pod, node) => (node.unschedulable && !tolerates(pod.tolerations, taint) ? closed : undefined),
}
