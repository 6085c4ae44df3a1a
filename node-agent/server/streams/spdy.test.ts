import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { acceptCommandStreams, type CommandStreams } from './remote-server.ts'
import { spdyConnection } from './spdy.ts'

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

/** Both ends of a connection. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const taken = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const one = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const other = await taken
  server.close()
  sockets.push(one, other)
  return [one, other]
}

it('ends a connection only when all that was said has been sent', async () => {
  const [near, far] = await pair()
  const accepted: Promise<CommandStreams> = acceptCommandStreams(spdyConnection(far, true), {
    tty: false,
    stdin: false,
    stdout: true,
    stderr: false,
  })
  const client = spdyConnection(near, false)
  const error = await client.open({ streamtype: 'error' })
  const stdout = await client.open({ streamtype: 'stdout' })
  // Nothing is said to the command on this one.
  stdout.end()
  const streams = await accepted
  const said = 12_000_000
  streams.stdout?.write(Buffer.alloc(said))
  const finished = streams.finish('{"status":"Success"}')

  let status = ''
  error.on('data', (chunk: Buffer) => {
    status += chunk
  })
  let heard = 0
  for await (const chunk of stdout) {
    heard += (chunk as Buffer).length
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await finished
  expect(heard).toBe(said)
  await client.closed
  expect(status).toBe('{"status":"Success"}')
})
