import type { Plugin } from '../framework/plugin.ts'
import { refusal } from '../framework/refusal.ts'

const name = 'NodeName'
const otherNode = refusal(name, 'UnschedulableAndUnresolvable', "node(s) didn't match the requested node name")

/** A pod that names its node goes there and nowhere else. */
export const nodeName: Plugin = {
  name,
  basis: { filter: 'node' },
  hints: [
    { on: ['Node/Add'], worthATry: ({ pod }, { node }) => isNamed(pod.spec?.nodeName, node?.after?.metadata.name) },
  ],
  filter: (_state, { pod }, node) => (isNamed(pod.spec?.nodeName, node.name) ? undefined : otherNode),
}

const isNamed = (wanted: string | undefined, node: string | undefined): boolean => !wanted || wanted === node
