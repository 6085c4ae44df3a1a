import type { IncomingHttpHeaders } from 'node:http'

const bearerProtocol = 'base64url.bearer.authorization.k8s.io.'

/**
 * Takes the bearer token that a page offers as a protocol of its WebSocket, because it can set no header. What is left are
 * the protocols meant as such; undefined: there is no token among them.
 */
export function takeSocketToken(headers: IncomingHttpHeaders): string | undefined {
  const offered = headers['sec-websocket-protocol']
  if (offered === undefined || !offered.includes(bearerProtocol)) return undefined
  const protocols = offered.split(',').map((protocol) => protocol.trim())
  const [first, ...others] = protocols.filter((protocol) => protocol.startsWith(bearerProtocol))
  headers['sec-websocket-protocol'] = protocols.filter((protocol) => !protocol.startsWith(bearerProtocol)).join(', ')
  // Two of them are a mistake, or somebody's trick: neither is believed.
  if (first === undefined || others.length > 0) return undefined
  return Buffer.from(first.slice(bearerProtocol.length), 'base64url').toString()
}
