import { createServer, type Server, type Socket } from 'node:net'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import type { Forwarding } from './ports.ts'
import type { Tunnel } from './tunnel.ts'

/** Listens for each pair at each address, and says so. `localhost` is both its addresses, of which one must be free. */
export async function listenOn(
  io: Io,
  addresses: readonly string[],
  pairs: readonly Forwarding[],
  tunnel: Tunnel,
): Promise<Server[]> {
  const servers: Server[] = []
  try {
    for (const { local, remote } of pairs) {
      const before = servers.length
      let port = local
      let failure: unknown
      for (const address of addresses.flatMap((one) => (one === 'localhost' ? ['127.0.0.1', '::1'] : [one]))) {
        try {
          const server = await listen(address, port, (socket) => void serve(io, socket, remote, tunnel))
          servers.push(server)
          const bound = server.address()
          if (bound && typeof bound === 'object') port = bound.port
          io.out(`Forwarding from ${address.includes(':') ? `[${address}]` : address}:${port} -> ${remote}\n`)
        } catch (error) {
          if (!addresses.includes('localhost')) throw error
          failure ??= error
        }
      }
      if (servers.length === before) throw failure
    }
  } catch (error) {
    for (const server of servers) server.close()
    throw new CliError(`unable to listen on port: ${(error as Error).message}. Write :PORT to take any free one`)
  }
  return servers
}

function listen(host: string, port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, onConnection)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}

async function serve(io: Io, socket: Socket, remote: number, tunnel: Tunnel): Promise<void> {
  socket.on('error', () => socket.destroy())
  io.out(`Handling connection for ${socket.localPort}\n`)
  try {
    const stream = await tunnel.open(remote, (message) => {
      io.err(`error: an error occurred forwarding ${socket.localPort} -> ${remote}: ${message}\n`)
      socket.destroy()
    })
    stream.on('error', () => socket.destroy())
    stream.once('close', () => socket.end())
    socket.once('close', () => stream.destroy())
    socket.pipe(stream).pipe(socket)
  } catch (error) {
    io.err(`error: an error occurred forwarding ${socket.localPort} -> ${remote}: ${(error as Error).message}\n`)
    socket.destroy()
  }
}
