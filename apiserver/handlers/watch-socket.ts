import type { IncomingMessage, ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'

/** What a watch is served on: a response, or a WebSocket made to look like one. */
export interface WatchTarget
  extends Pick<ServerResponse, 'once' | 'off' | 'writeHead' | 'flushHeaders' | 'writableFinished'> {
  readonly socket: Writable | null
  end(): unknown
}

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
const pingMs = 30_000

/** Shakes hands; resolves to what the watch is written to. Every line of a chunk becomes a message. */
export async function openWatchSocket(req: IncomingMessage, res: ServerResponse, head: Buffer): Promise<WatchTarget> {
  return new SocketTarget(await acceptSocket(req, res, head)) as unknown as WatchTarget
}

/** Takes a request's connection over and shakes hands. */
export function acceptSocket(req: IncomingMessage, res: ServerResponse, head: Buffer): Promise<WebSocket> {
  const { socket } = req
  res.detachSocket(socket)
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the client left before the handshake'))
    socket.once('close', gone)
    sockets.handleUpgrade(req, socket, head, (client) => {
      socket.off('close', gone)
      resolve(client)
    })
  })
}

/** Takes chunks of HTTP's transfer coding, because these are what all watchers share. */
class SocketTarget extends Writable {
  readonly #client: WebSocket
  readonly #ping: NodeJS.Timeout

  constructor(client: WebSocket) {
    super({ decodeStrings: false })
    this.#client = client
    this.#ping = setInterval(() => client.ping(), pingMs)
    this.#ping.unref()
    client.once('close', () => this.destroy())
    client.on('error', () => this.destroy())
  }

  get socket(): Writable {
    return this
  }

  writeHead(): void {}
  flushHeaders(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const lines = linesOf(chunk)
    const last = lines.pop()
    if (!last) {
      done()
      return
    }
    for (const line of lines) this.#client.send(line, { binary: false })
    // Once it is with the socket, the next may come; one that is gone is told by its close.
    this.#client.send(last, { binary: false }, () => done())
  }

  override _final(done: () => void): void {
    this.#client.close(1000)
    done()
  }

  override _destroy(_error: Error | null, done: () => void): void {
    clearInterval(this.#ping)
    if (!this.writableFinished) this.#client.terminate()
    done()
  }
}

/** The lines in a chunk `LENGTH CRLF … CRLF`, without their ends. */
export function linesOf(chunk: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let from = chunk.indexOf('\n') + 1; from < chunk.length - 2; ) {
    const end = chunk.indexOf('\n', from)
    if (end < 0) break
    lines.push(chunk.subarray(from, end))
    from = end + 1
  }
  return lines
}
