import { request } from 'node:http'
import type { Duplex } from 'node:stream'

/** How upstream names the generations of its stream protocol, the newest first. SPDY has no fifth: it can close by itself. */
export const spdyProtocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'] as const

export interface Upgraded {
  socket: Duplex
  head: Buffer
  /** The generation that the other side chose. */
  protocol: string
}

/** Asks a runtime's streaming address for SPDY. Throws an Error with its words when it refuses. */
export function upgradeToSpdy(url: string, protocols: readonly string[], signal?: AbortSignal): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: 'POST',
      agent: false,
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'SPDY/3.1',
        'X-Stream-Protocol-Version': [...protocols],
        'Content-Length': 0,
      },
      ...(signal ? { signal } : {}),
    })
    asked.once('upgrade', ({ headers }, socket, head) => {
      const protocol = headers['x-stream-protocol-version']
      // Who names none knows nothing of them: the first that was.
      resolve({ socket, head, protocol: String(protocol ?? protocols.at(-1)) })
    })
    asked.once('response', (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () =>
        reject(new Error(`the runtime refused to stream: ${answer.statusCode} ${Buffer.concat(chunks)}`.trim())),
      )
    })
    asked.once('error', reject)
    asked.end()
  })
}
