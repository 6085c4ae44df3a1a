import { topNodes } from './top/nodes.ts'
import { topPods } from './top/pods.ts'
import type { Verb } from './verb.ts'

export const top: Verb = {
  usage: '(node | pod) [NAME]',
  examples: ['gantry top nodes', 'gantry top pods -A --sort-by=memory'],
  run: async () => 1,
  verbs: { node: topNodes, nodes: topNodes, no: topNodes, pod: topPods, pods: topPods, po: topPods },
}
