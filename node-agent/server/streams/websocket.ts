import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import type { Logger } from '../../../client/logger.ts'
import { joinRemoteCommand, type RemoteCommand, type Wanted } from './remote-client.ts'
import { upgradeToSpdy } from './upgrade.ts'

interface Upgrade {
  req: IncomingMessage
  socket: Duplex
  head: Buffer
}

/** The newest first. The fifth can close a channel. */
const commandProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
]
const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io'
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const
/** With this much not yet taken by the client, the runtime has to wait. */
const unsentBytes = 1024 * 1024
const pingMs = 25_000

const commands = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) => commandProtocols.find((name) => offered.has(name)) ?? false,
})
const tunnels = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) => (offered.has(tunnelProtocol) ? tunnelProtocol : false),
})

/** Serves a client that speaks channels over WebSocket with a command that runs behind a runtime's SPDY. */
export function serveCommandSocket(url: string, upgrade: Upgrade, wanted: Wanted, log: Logger): void {
  const { req, socket, head } = upgrade
  commands.handleUpgrade(req, socket, head, (client) => {
    keepAlive(client)
    const gone = new AbortController()
    client.once('close', () => gone.abort())
    client.on('error', () => client.terminate())
    // What comes before the runtime is joined must not be lost.
    const early: Buffer[] = []
    let receive = (message: Buffer) => {
      early.push(message)
    }
    client.on('message', (data: Buffer) => receive(data))
    const run = async () => {
      const command = await joinRemoteCommand(url, wanted, gone.signal)
      client.once('close', () => command.close())
      receive = receiver(client, command)
      for (const message of early) receive(message)
      const outputs = [
        forward(client, channels.stdout, command.stdout),
        forward(client, channels.stderr, command.stderr),
      ]
      const status = await command.status
      await Promise.all(outputs)
      await finish(client, status)
      command.close()
    }
    run().catch((error: Error) => {
      if (client.readyState !== client.OPEN) return
      log.debug({ err: error }, 'a stream broke')
      const status = { metadata: {}, status: 'Failure', message: error.message, reason: 'InternalError', code: 500 }
      finish(client, JSON.stringify(status)).catch(() => client.terminate())
    })
  })
}

/** Serves port-forwarding over WebSocket: what goes through it is SPDY, which the runtime is given as it is. */
export function servePortForwardSocket(url: string, { req, socket, head }: Upgrade, log: Logger): void {
  tunnels.handleUpgrade(req, socket, head, (client) => {
    keepAlive(client)
    const stream = createWebSocketStream(client)
    stream.on('error', () => client.terminate())
    upgradeToSpdy(url, ['portforward.k8s.io']).then(
      ({ socket: target, head }) => {
        if (head.length > 0) stream.write(head)
        stream.pipe(target).pipe(stream)
        target.on('error', () => client.terminate())
        // Not the client itself: what the runtime said last is still in the stream.
        target.once('close', () => stream.end())
        client.once('close', () => target.destroy())
      },
      (error: Error) => {
        log.debug({ err: error }, 'a port could not be forwarded')
        client.close(1011, error.message.slice(0, 120))
      },
    )
  })
}

/** Takes the client's messages: the first byte is the channel. */
function receiver(client: WebSocket, command: RemoteCommand): (message: Buffer) => void {
  return (message) => {
    const [channel, argument] = message
    const data = message.subarray(1)
    if (channel === channels.stdin && data.length > 0) {
      // What had come before it was paused still arrives.
      if (command.stdin?.write(data) !== false || client.isPaused) return
      client.pause()
      command.stdin.once('drain', () => client.resume())
    } else if (channel === channels.resize) {
      const { Width, Height } = JSON.parse(data.toString()) as { Width?: number; Height?: number }
      if (Width && Height) command.resize({ width: Width, height: Height })
    } else if (channel === channels.close && argument === channels.stdin) command.stdin?.end()
  }
}

/** Sends what comes out, as fast as the client takes it. Resolves when it has ended. */
function forward(client: WebSocket, channel: number, source: Duplex | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!source) {
      resolve()
      return
    }
    source.on('data', (chunk: Buffer) => {
      const sent = send(client, channel, chunk)
      if (client.bufferedAmount <= unsentBytes || source.isPaused()) return
      source.pause()
      sent.then(
        () => source.resume(),
        () => source.resume(),
      )
    })
    // Not its close: there may be something left to read then.
    source.once('end', () => resolve())
    client.once('close', () => resolve())
  })
}

const send = (client: WebSocket, channel: number, data: Buffer): Promise<void> =>
  new Promise((resolve) => client.send(Buffer.concat([Buffer.of(channel), data]), () => resolve()))

async function finish(client: WebSocket, status: string): Promise<void> {
  const isStatus = client.protocol === 'v5.channel.k8s.io' || client.protocol === 'v4.channel.k8s.io'
  if (isStatus) await send(client, channels.error, Buffer.from(status))
  else {
    // Older clients take anything on this channel for a failure, and show it.
    const { status: outcome, message = '' } = JSON.parse(status) as { status?: string; message?: string }
    if (outcome !== 'Success') await send(client, channels.error, Buffer.from(message))
  }
  client.close(1000)
}

/** So that nothing between the two takes a silent connection for a dead one. */
function keepAlive(client: WebSocket): void {
  const timer = setInterval(() => client.ping(), pingMs)
  client.once('close', () => clearInterval(timer))
}
