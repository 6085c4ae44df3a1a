import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Scope } from '../handlers/context.ts'

const base64 = 'base64.binary.k8s.io'
const protocols: readonly string[] = ['binary.k8s.io', base64]
/** With this much not yet taken by the client, the log has to wait. */
const unsentBytes = 1024 * 1024

const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) => protocols.find((name) => offered.has(name)) ?? false,
})

/** Sends what comes as messages: bytes, or their base64 where the client asks for `base64.binary.k8s.io`. */
export function sendOverSocket(
  { req, res, upgradeHead = Buffer.alloc(0) }: Scope,
  answer: IncomingMessage,
): Promise<void> {
  const { socket } = req
  res.detachSocket(socket)
  return new Promise((resolve) => {
    // Of the socket, not the client: who leaves before the handshake never becomes one.
    const gone = () => {
      answer.destroy()
      resolve()
    }
    if (socket.destroyed) return gone()
    socket.once('close', gone)
    sockets.handleUpgrade(req, socket, upgradeHead, (client) => {
      const source: Readable = answer
      source.on('data', (chunk: Buffer) => {
        const data = client.protocol === base64 ? chunk.toString('base64') : chunk
        client.send(data, () => source.resume())
        if (client.bufferedAmount > unsentBytes) source.pause()
      })
      source.once('end', () => client.close(1000))
      source.once('error', () => client.terminate())
      client.on('error', () => client.terminate())
    })
  })
}
