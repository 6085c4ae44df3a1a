import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { refusalOf } from '../exec/web-socket.ts'
import type { Session } from '../session.ts'

const streamProtocol = 'portforward.k8s.io'

/** Asks the server to speak SPDY on a connection for a path; resolves to it. A refusal is thrown as any other's would be. */
export async function upgradeToSpdy(
  { client, headers, io }: Session,
  path: string,
): Promise<{ socket: Duplex; head: Buffer }> {
  const url = new URL(`${client.config.server}${path}`)
  const way = await client.connection.open('streams')
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const req = request(url, {
      ...way,
      method: 'POST',
      signal: io.signal,
      headers: {
        ...client.connection.authorization(),
        ...headers,
        'user-agent': client.config.userAgent ?? 'gantry-cli',
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': streamProtocol,
      },
    })
    req.once('upgrade', (_answer, socket, head) => resolve({ socket, head }))
    req.once('response', (answer) => void refusalOf(answer).then(reject, reject))
    req.once('error', reject)
    req.end()
  })
}
