import { Agent } from 'node:https'
import type { Node } from '../../api/generated/types.ts'
import { internalServerError } from '../../api/machinery/errors.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { askServer } from '../ask-server.ts'

/** How the node agents are reached: upstream's kubelet API over mutual TLS. */
export interface NodeAgentClient {
  cert?: string | Buffer
  key?: string | Buffer
  /** Verifies the agents' certificates; absent: they are not verified, as upstream by default. */
  ca?: string | Buffer
  /** In this order, the first of a node's addresses that has such a type. */
  addressTypes: readonly string[]
}

/** Connections to node agents, kept for the next request. */
export const agentConnections = ({ cert, key, ca }: NodeAgentClient): Agent =>
  new Agent({
    keepAlive: true,
    maxSockets: 256,
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(ca ? { ca } : { rejectUnauthorized: false }),
  })

/** Where the agent of a node listens. Throws a StatusError for a node that does not tell. */
export function agentAddress(node: Stored<Node>, { addressTypes }: NodeAgentClient): { host: string; port: number } {
  const addresses = node.status?.addresses ?? []
  for (const type of addressTypes) {
    const found = addresses.find((address) => address.type === type)
    if (found) return { host: found.address, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port || 10250 }
  }
  throw internalServerError(
    `no preferred addresses found for node ${node.metadata.name}; known addresses: ${JSON.stringify(addresses)}`,
  )
}

/** The text that a node agent answers a GET with. Rejects for any other answer, and for none in time. */
export async function askAgent(
  agent: Agent,
  address: { host: string; port: number },
  path: string,
  timeoutMs: number,
): Promise<string> {
  const late = `no answer within ${timeoutMs} ms`
  const { code, text } = await askServer({ agent, ...address, path, timeoutMs, late })
  if (code !== 200) throw new Error(`it answered ${code}: ${text.slice(0, 200).trim()}`)
  return text
}
