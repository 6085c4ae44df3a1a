import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { spdyProtocols } from '../../server/streams/upgrade.ts'
import type { Streams } from './backend.ts'

/** Serves the streams that a runtime of ours has offered, each once, at an address that only who asked for it knows. */
export interface StreamServer {
  /** The address of what is offered; it is forgotten after a minute. */
  offer(offered: Offer): string
  close(): void
}

export type Offer =
  | {
      kind: 'exec' | 'attach'
      tty?: boolean
      stdin?: boolean
      stdout?: boolean
      stderr?: boolean
      /** Resolves to the exit code. */
      run(streams: Streams): Promise<number>
    }
  | { kind: 'portforward'; connect(port: number): Promise<Duplex> }

const offerMs = 60_000

/** Listens on a loopback port of its own. */
export async function startStreamServer(): Promise<StreamServer> {
  const offers = new Map<string, Offer>()
  const server = createServer((_req, res) => {
    res.writeHead(400, { 'Content-Type': 'text/plain' }).end('this address wants an upgrade to SPDY/3.1\n')
  })
  server.on('upgrade', (req, socket, head) => {
    const token = req.url?.split('/').at(-1) ?? ''
    const offered = offers.get(token)
    offers.delete(token)
    socket.on('error', () => socket.destroy())
    if (!offered || req.headers.upgrade?.toLowerCase() !== 'spdy/3.1') {
      const status = offered ? '400 Bad Request' : '404 Not Found'
      socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
      return
    }
    serve(offered, req, socket, head).catch(() => socket.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  server.unref()
  return {
    offer(offered) {
      const token = randomBytes(16).toString('hex')
      offers.set(token, offered)
      setTimeout(() => offers.delete(token), offerMs).unref()
      return `http://127.0.0.1:${port}/${offered.kind}/${token}`
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function serve(offered: Offer, req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const asked = String(req.headers['x-stream-protocol-version'] ?? '').split(/,\s*/)
  const known: readonly string[] = offered.kind === 'portforward' ? ['portforward.k8s.io'] : spdyProtocols
  const protocol = known.find((name) => asked.includes(name)) ?? known[0]
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  )
  const { spdyConnection } = await import('../../../client/streams/spdy.ts')
  const connection = spdyConnection(socket, true, head)
  if (offered.kind === 'portforward') {
    const { servePortForward } = await import('../../server/streams/port-forward.ts')
    servePortForward(connection, offered.connect)
    return
  }
  const { tty = false, stdin = false, stdout = false, stderr = false } = offered
  const { acceptCommandStreams } = await import('../../server/streams/remote-server.ts')
  const streams = await acceptCommandStreams(connection, { tty, stdin, stdout, stderr })
  const gone = new AbortController()
  connection.closed.then(
    () => gone.abort(),
    () => gone.abort(),
  )
  try {
    const exitCode = await offered.run({ ...streams, tty, signal: gone.signal })
    await streams.finish(JSON.stringify(exitStatus(exitCode)))
  } catch (error) {
    await streams.finish(JSON.stringify(failedStatus((error as Error).message)))
  }
}

/** What upstream's clients read the exit code from. */
function exitStatus(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}

const failedStatus = (message: string) => ({
  metadata: {},
  status: 'Failure',
  message: `error executing command in container: ${message}`,
  reason: 'InternalError',
  code: 500,
})
