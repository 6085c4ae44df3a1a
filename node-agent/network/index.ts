export { type RemoveOptions, removeNetwork } from './kernel-network.ts'
export type { HostPort, NodeNetwork } from './network.ts'
export { startNetwork } from './start.ts'
