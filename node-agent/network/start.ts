import type { NetworkOptions, NodeNetwork } from './network.ts'

/** Brings the node's network up as its runtime needs it. Does not wait for the API server. */
export async function startNetwork(options: NetworkOptions): Promise<NodeNetwork> {
  switch (options.runtimeKind) {
    case 'containerd':
      return (await import('./kernel-network.ts')).startKernelNetwork(options)
    case 'process':
      return (await import('./loopback-network.ts')).startLoopbackNetwork(options)
    case 'hollow':
      // Nothing runs, so nothing is called.
      return {
        dnsAddress: options.clusterDns,
        podCidrChanged: async () => {},
        setHostPorts: async () => {},
        podStarts: async () => {},
        podEnded: () => {},
        stop: async () => {},
      }
  }
}
