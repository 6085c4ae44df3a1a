import { connect, createServer, type Server, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { announceReady } from '../client/ready.ts'

const help = `Usage: gantry balancer --listen HOST:PORT --to HOST:PORT --to HOST:PORT …

Puts several API servers behind one address: passes each TCP connection on to one of them in turn, or to the next one when
that one does not answer.
`

/** How long a server may take to accept a connection before the next is tried. */
const connectTimeoutMs = 2000

export interface Endpoint {
  host: string
  port: number
}

/** `gantry balancer`: runs until it is told to stop. */
export async function balancer(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      listen: { type: 'string', default: '0.0.0.0:6443' },
      to: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help || values.to.length === 0) {
    ;(values.help ? process.stdout : process.stderr).write(help)
    return values.help ? 0 : 2
  }
  const server = await balance(parseEndpoint(values.listen), values.to.map(parseEndpoint))
  announceReady()
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
  await server.stop()
  return 0
}

/** Listens, and passes connections on in turn. Resolves when it accepts them. */
export function balance(
  listen: Endpoint,
  targets: readonly Endpoint[],
): Promise<{ port: number; stop(): Promise<void> }> {
  let turn = 0
  const open = new Set<Socket>()
  const keep = (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  }
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    keep(client)
    client.on('error', () => client.destroy())
    const first = turn++
    const tries = targets.map((_, i) => targets[(first + i) % targets.length] as Endpoint)
    connectToOne(tries, keep).then(
      (upstream) => join(client, upstream),
      () => client.destroy(),
    )
  })
  return listening(server, listen).then((port) => ({
    port,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }))
}

async function connectToOne(targets: readonly Endpoint[], keep: (socket: Socket) => void): Promise<Socket> {
  let last: unknown
  for (const target of targets) {
    try {
      const socket = await connected(target)
      keep(socket)
      return socket
    } catch (error) {
      last = error
    }
  }
  throw last
}

function connected({ host, port }: Endpoint): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
    const timer = setTimeout(() => socket.destroy(new Error(`${host}:${port} does not answer`)), connectTimeoutMs)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
}

/** Each end hears of the other's: a client that waits for answers must not wait for a server that is gone. */
function join(client: Socket, upstream: Socket): void {
  upstream.on('error', () => client.destroy())
  client.once('close', () => upstream.destroy())
  // The last of an answer is still on its way when its server has left.
  upstream.once('close', () => client.destroySoon())
  client.setNoDelay(true)
  client.pipe(upstream)
  upstream.pipe(client)
}

function listening(server: Server, { host, port }: Endpoint): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function parseEndpoint(text: string): Endpoint {
  const match = text.match(/^\[?([^\]]+)\]?:(\d+)$/)
  if (!match) throw new Error(`${JSON.stringify(text)} is not HOST:PORT`)
  return { host: match[1] as string, port: Number(match[2]) }
}
