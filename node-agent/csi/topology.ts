import type { NodeInfo } from './messages.ts'

/** The label of nodes that the drivers of ours go by. */
export const topologyKey = 'topology.gantry.dev/node'

/** What the drivers of ours say of a node, known without asking them. */
export const builtInInfo = (nodeName: string): NodeInfo => ({
  nodeId: nodeName,
  maxVolumesPerNode: '0',
  accessibleTopology: { segments: { [topologyKey]: nodeName } },
})
