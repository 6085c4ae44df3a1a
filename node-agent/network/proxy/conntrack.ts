import type { Run } from '../command.ts'
import { CommandError } from '../command.ts'
import type { RoutedPort } from '../services/routes.ts'

/** One tracked flow of datagrams: whom the client called, and who answers. */
export interface Flow {
  source: string
  sourcePort: number
  destination: string
  destinationPort: number
  replySource: string
  replyPort: number
}

/**
 * Forgets the flows of datagrams that lead to where a service no longer leads. A client that keeps its socket would talk to
 * a pod that is gone for as long as it talks, because the kernel translates a known flow without asking the rules again.
 */
export async function forgetStaleFlows(ports: readonly RoutedPort[], run: Run): Promise<number> {
  const udp = ports.filter(({ protocol }) => protocol === 'udp')
  if (udp.length === 0) return 0
  const stale = staleFlows(parseFlows(await run('conntrack', ['-L', '-p', 'udp'])), udp)
  for (const flow of stale) {
    const tuple = ['-s', flow.source, '-d', flow.destination, '--sport', `${flow.sourcePort}`]
    try {
      await run('conntrack', ['-D', '-p', 'udp', ...tuple, '--dport', `${flow.destinationPort}`])
    } catch (error) {
      // It went by itself meanwhile.
      if (!(error instanceof CommandError && error.code === 1)) throw error
    }
  }
  return stale.length
}

/** The flows to an address of one of the ports that are answered by none of its endpoints. */
export function staleFlows(flows: readonly Flow[], ports: readonly RoutedPort[]): Flow[] {
  const answering = new Map<string, Set<string>>()
  const nodePorts = new Map<number, Set<string>>()
  for (const { clusterIp, externalIps, loadBalancerIps, port, nodePort, cluster, local } of ports) {
    const backends = new Set([...cluster, ...local].map((backend) => `${backend.ip} ${backend.port}`))
    for (const ip of [clusterIp, ...externalIps, ...loadBalancerIps]) answering.set(`${ip} ${port}`, backends)
    if (nodePort !== undefined) nodePorts.set(nodePort, backends)
  }
  return flows.filter(({ destination, destinationPort, replySource, replyPort }) => {
    const exact = answering.get(`${destination} ${destinationPort}`)
    // A node port is one of any address of this node: flows there that were never translated are somebody else's.
    const translated = replySource !== destination || replyPort !== destinationPort
    const backends = exact ?? (translated ? nodePorts.get(destinationPort) : undefined)
    return backends !== undefined && !backends.has(`${replySource} ${replyPort}`)
  })
}

/** Reads what `conntrack -L` prints; lines of other forms are passed over. */
export function parseFlows(text: string): Flow[] {
  const flows: Flow[] = []
  for (const line of text.split('\n')) {
    const values = (name: string) => [...line.matchAll(new RegExp(`\\b${name}=(\\S+)`, 'g'))].map((match) => match[1])
    const [source, replySource] = values('src')
    const [destination] = values('dst')
    const [sourcePort, replyPort] = values('sport').map(Number)
    const [destinationPort] = values('dport').map(Number)
    if (source && replySource && destination && sourcePort && destinationPort && replyPort)
      flows.push({ source, sourcePort, destination, destinationPort, replySource, replyPort })
  }
  return flows
}
