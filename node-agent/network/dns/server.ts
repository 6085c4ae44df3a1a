import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import type { Logger } from '../../../client/logger.ts'
import { framed } from './forwarder.ts'
import type { Resolver } from './resolver.ts'

export interface DnsServer {
  address: string
  /** The same for UDP and TCP. */
  port: number
  stop(): Promise<void>
}

/**
 * Serves DNS at `address`, by UDP and by TCP. Tries the ports in order; 0 stands for any free one. Throws the last one's error
 * when none is free.
 */
export async function startDnsServer(
  resolver: Resolver,
  address: string,
  ports: readonly number[],
  log: Logger,
): Promise<DnsServer> {
  let failure: unknown
  for (const port of ports) {
    for (let attempt = 0; attempt < (port === 0 ? 5 : 1); attempt++) {
      try {
        return await listen(resolver, address, port, log)
      } catch (error) {
        failure = error
      }
    }
  }
  throw failure
}

async function listen(resolver: Resolver, address: string, wanted: number, log: Logger): Promise<DnsServer> {
  const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  await new Promise<void>((resolve, reject) => {
    udp.once('error', reject)
    udp.bind(wanted, address, resolve)
  })
  udp.removeAllListeners('error')
  const { port } = udp.address()
  const connections = new Set<Socket>()
  const tcp = createServer((socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    serveConnection(resolver, socket)
  })
  tcp.maxConnections = mostConnections
  try {
    await listenTcp(tcp, address, port)
  } catch (error) {
    udp.close()
    throw error
  }
  tcp.on('error', (err) => log.warn({ err }, 'the DNS server could not take a connection'))
  serveDatagrams(resolver, udp, log)
  return {
    address,
    port,
    async stop() {
      for (const socket of connections) socket.destroy()
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ])
    },
  }
}

const mostConnections = 500
const idleMs = 10_000

function listenTcp(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function serveDatagrams(resolver: Resolver, socket: UdpSocket, log: Logger): void {
  let open = true
  socket.on('close', () => {
    open = false
  })
  socket.on('error', (err) => log.warn({ err }, 'the DNS server could not receive a question'))
  socket.on('message', (message, { address, port }) => {
    const send = (answer: Buffer | undefined) => {
      // One that cannot be sent is lost like any datagram: the client asks again.
      if (answer && open) socket.send(answer, port, address, () => undefined)
    }
    const answer = resolver.answer(message, false)
    if (answer instanceof Promise) answer.then(send, (err) => log.warn({ err }, 'a DNS question could not be answered'))
    else send(answer)
  })
}

function serveConnection(resolver: Resolver, socket: Socket): void {
  let heard = Buffer.alloc(0)
  // One after the other: a client that asks faster than it reads is held up by its own connection.
  let turn: Promise<unknown> = Promise.resolve()
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    heard = heard.length > 0 ? Buffer.concat([heard, chunk]) : chunk
    while (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) {
      const message = Buffer.from(heard.subarray(2, 2 + heard.readUInt16BE(0)))
      heard = heard.subarray(2 + message.length)
      turn = turn
        .then(() => (socket.destroyed ? undefined : resolver.answer(message, true)))
        .then(
          (answer) => answer && !socket.destroyed && socket.write(framed(answer)),
          () => socket.destroy(),
        )
    }
  })
}
