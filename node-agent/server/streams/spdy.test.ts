import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, expect, it, vi } from 'vitest'
import { spdyConnection } from '../../../client/streams/spdy.ts'
import { joinRemoteCommand } from './remote-client.ts'
import { acceptCommandStreams, type CommandStreams } from './remote-server.ts'

const sockets: Socket[] = []
const programs: ChildProcess[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const program of programs.splice(0)) program.kill('SIGKILL')
})

/** How a frame begins that opens a stream. */
const synStream = 0x80030001

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

it('serves the streams that came before anybody listened', async () => {
  const [near, far] = await pair()
  const joined = spdyConnection(far, true)
  const client = spdyConnection(near, false)
  await client.open({ streamtype: 'error' })
  const stdin = await client.open({ streamtype: 'stdin' })
  const said = 100_000
  stdin.end(Buffer.alloc(said))
  // What opened the streams came before what was said on one of them.
  await vi.waitFor(() => expect(far.bytesRead).toBeGreaterThan(said))

  const wanted = { tty: false, stdin: true, stdout: false, stderr: false }
  const streams = await acceptCommandStreams(joined, wanted)
  let heard = 0
  streams.stdin?.on('data', (chunk: Buffer) => {
    heard += chunk.length
  })
  await once(streams.stdin as Duplex, 'end')
  expect(heard).toBe(said)
})

/**
 * A runtime in a process of its own, which goes on while this one does not: once `streams` are open, it says `frames` and
 * leaves without reading on. `before` is said some times before them. Resolves to its streaming address.
 */
async function hastyRuntime(streams: number, frames: Buffer, before = { frame: '', times: 0 }): Promise<string> {
  const program = `
    const before = Buffer.from(${JSON.stringify(before.frame)}, 'hex')
    const said = [...Array(${before.times}).fill(before), Buffer.from('${frames.toString('hex')}', 'hex')]
    const server = require('net').createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: SPDY/3.1\\r\\n\\r\\n')
        let [heard, opened] = [Buffer.alloc(0), 0]
        socket.on('data', function listen(chunk) {
          heard = Buffer.concat([heard, chunk])
          for (let end; heard.length >= 8 && heard.length >= (end = 8 + (heard.readUInt32BE(4) & 0xffffff)); ) {
            if (heard.readUInt32BE(0) === ${synStream}) opened++
            heard = heard.subarray(end)
          }
          if (opened < ${streams}) return
          socket.off('data', listen)
          setTimeout(() => socket.end(Buffer.concat(said)).destroySoon(), 20)
        })
      })
    })
    server.listen(0, '127.0.0.1', () => process.stdout.write(String(server.address().port)))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  programs.push(child)
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return `http://127.0.0.1:${port}`
}

/** All there is of a stream in one frame, with its end. */
const lastFrame = (streamId: number, text: string): Buffer => dataFrame(streamId, text, 1 << 24)

function dataFrame(streamId: number, text: string, flags = 0): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(streamId)
  header.writeUInt32BE(flags | text.length, 4)
  return Buffer.concat([header, Buffer.from(text)])
}

const outputs = { tty: false, stdin: false, stdout: true, stderr: true }
/** This process gets no processor for a while. */
const standStill = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)

it('hears all of a command that was over before anything more was said to it', async () => {
  const [error, stdout] = [lastFrame(1, '{"status":"Success"}'), lastFrame(3, 'hello')]
  const joining = joinRemoteCommand(await hastyRuntime(3, Buffer.concat([stdout, error])), outputs)
  joining.then(standStill, () => {})
  const command = await joining
  let said = ''
  command.stdout?.on('data', (chunk: Buffer) => {
    said += chunk
  })
  expect(await command.status).toBe('{"status":"Success"}')
  expect(said).toBe('hello')
})

// A little more than may be unread: the rest waits, taken apart, for the reader.
it.each([33, 34, 36, 38, 40])('hears what became of a command whose %i pieces are read slowly', async (times) => {
  const before = { frame: dataFrame(3, 'x'.repeat(32_768)).toString('hex'), times }
  const runtime = await hastyRuntime(2, Buffer.concat([lastFrame(3, ''), lastFrame(1, '{"status":"Success"}')]), before)
  const command = await joinRemoteCommand(runtime, { ...outputs, stderr: false })
  let said = 0
  for await (const chunk of command.stdout ?? []) {
    said += (chunk as Buffer).length
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  expect(await command.status).toBe('{"status":"Success"}')
  expect(said).toBe(32_768 * times)
})

it('does not take a connection that broke for a command that went well', async () => {
  const joining = joinRemoteCommand(await hastyRuntime(3, Buffer.alloc(0)), outputs)
  joining.then(standStill, () => {})
  const command = await joining
  await expect(command.status).rejects.toThrow('the runtime closed the connection before the command had ended')
})

/** A runtime that takes streams, aborts that of errors, and leaves the connection standing. */
async function dullRuntime(protocol: string): Promise<string> {
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.once('data', () => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
      )
      spdyConnection(socket, true).onStream((stream) => {
        if (stream.headers.streamtype === 'error') stream.abort()
        else stream.respond(200, {})
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

it('does not take silence for a command that went well where every outcome is told', async () => {
  const command = await joinRemoteCommand(await dullRuntime('v4.channel.k8s.io'), outputs)
  await expect(command.status).rejects.toThrow('the runtime did not say what became of the command')
  const older = await joinRemoteCommand(await dullRuntime('v3.channel.k8s.io'), outputs)
  expect(await older.status).toContain('"status":"Success"')
})
