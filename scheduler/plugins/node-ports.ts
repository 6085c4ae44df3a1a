import { UsedPorts } from '../cache/host-ports.ts'
import type { Plugin } from '../framework/plugin.ts'
import { refusal } from '../framework/refusal.ts'

const name = 'NodePorts'
const taken = refusal(name, 'Unschedulable', "node(s) didn't have free ports for the requested pod ports")

/** Two pods cannot have the same port of a node. */
export const nodePorts: Plugin = {
  name,
  basis: { filter: 'node' },
  hints: [
    {
      on: ['Pod/Delete'],
      worthATry: (pod, { pod: changed }) => {
        const gone = changed?.before
        if (!gone || (gone.nodeName === '' && gone.nominatedNodeName === '')) return false
        const freed = new UsedPorts()
        for (const port of gone.hostPorts) freed.add(port)
        return pod.hostPorts.some((port) => freed.conflicts(port))
      },
    },
    { on: ['Node/Add'] },
  ],
  preFilter: (_state, pod) => (pod.hostPorts.length === 0 ? 'skip' : undefined),
  filter: (_state, pod, { usedPorts }) => (pod.hostPorts.some((port) => usedPorts.conflicts(port)) ? taken : undefined),
}
