import { Agent, request } from 'node:https'
import type { Node } from '../../api/generated/types.ts'
import { internalServerError } from '../../api/machinery/errors.ts'
import type { Stored } from '../../api/machinery/object.ts'

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

const largestAnswerBytes = 32 << 20

/** The text that a node agent answers a GET with. Rejects for any other answer, and for none in time. */
export function askAgent(
  agent: Agent,
  address: { host: string; port: number },
  path: string,
  timeoutMs: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const req = request({ agent, ...address, path, signal }, (res) => {
      const chunks: Buffer[] = []
      let size = 0
      res.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > largestAnswerBytes) req.destroy(new Error('the answer is too large'))
        else chunks.push(chunk)
      })
      res.once('error', reject)
      res.once('end', () => {
        const text = Buffer.concat(chunks).toString()
        if (res.statusCode === 200) resolve(text)
        else reject(new Error(`it answered ${res.statusCode}: ${text.slice(0, 200).trim()}`))
      })
    })
    req.once('error', (error) => reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error))
    req.end()
  })
}
