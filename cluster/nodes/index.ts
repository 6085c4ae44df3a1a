export {
  createNodeNetwork,
  destroyNodeNetwork,
  type MachineNode,
  type NodeNetwork,
  type NodeNetworkOptions,
} from './node-network.ts'
