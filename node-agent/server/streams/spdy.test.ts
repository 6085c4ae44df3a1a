import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { spdyConnection } from '../../../client/streams/spdy.ts'
import { joinRemoteCommand } from './remote-client.ts'
import { acceptCommandStreams, type CommandStreams } from './remote-server.ts'

const sockets: Socket[] = []
const programs: ChildProcess[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const program of programs.splice(0)) program.kill('SIGKILL')
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

/**
 * A runtime in a process of its own, which goes on while this one does not: once asked for streams, it says `frames` and
 * leaves without reading on. Resolves to its streaming address.
 */
async function hastyRuntime(frames: Buffer): Promise<string> {
  const program = `
    const server = require('net').createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: SPDY/3.1\\r\\n\\r\\n')
        socket.once('data', () => setTimeout(() => socket.end(Buffer.from('${frames.toString('hex')}', 'hex')).destroySoon(), 20))
      })
    })
    server.listen(0, '127.0.0.1', () => process.stdout.write(String(server.address().port)))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  programs.push(child)
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return `http://127.0.0.1:${port}`
}

/** All there is of a stream in one frame, with its end. */
function lastFrame(streamId: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(streamId)
  header.writeUInt32BE((1 << 24) | text.length, 4)
  return Buffer.concat([header, Buffer.from(text)])
}

const outputs = { tty: false, stdin: false, stdout: true, stderr: true }
/** This process gets no processor for a while. */
const standStill = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)

it('hears all of a command that was over before anything more was said to it', async () => {
  const [error, stdout] = [lastFrame(1, '{"status":"Success"}'), lastFrame(3, 'hello')]
  const joining = joinRemoteCommand(await hastyRuntime(Buffer.concat([stdout, error])), outputs)
  joining.then(standStill, () => {})
  const command = await joining
  let said = ''
  command.stdout?.on('data', (chunk: Buffer) => {
    said += chunk
  })
  expect(await command.status).toBe('{"status":"Success"}')
  expect(said).toBe('hello')
})

it('does not take a connection that broke for a command that went well', async () => {
  const joining = joinRemoteCommand(await hastyRuntime(Buffer.alloc(0)), outputs)
  joining.then(standStill, () => {})
  const command = await joining
  await expect(command.status).rejects.toThrow('the runtime closed the connection before the command had ended')
})
