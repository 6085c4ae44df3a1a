import type { IncomingMessage } from 'node:http'

/** The client asks for an answer over a WebSocket, as pages in browsers can: they keep few plain connections to one server. */
export const wantsSocket = (req: IncomingMessage, upgradeHead: Buffer | undefined): upgradeHead is Buffer =>
  upgradeHead !== undefined && req.headers.upgrade?.toLowerCase() === 'websocket'
