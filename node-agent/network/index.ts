export { type RemoveOptions, removeNetwork } from './kernel-network.ts'
export { type HostPort, type NetworkOptions, type NodeNetwork, networkNames, startNetwork } from './network.ts'
