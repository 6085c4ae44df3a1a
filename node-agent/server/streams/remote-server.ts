import type { Duplex } from 'node:stream'
import type { SpdyConnection, Stream } from '../../../client/streams/spdy.ts'
import type { Wanted } from './remote-client.ts'

/** The streams of a command, seen from who runs it. */
export interface CommandStreams {
  stdin?: Duplex
  stdout?: Duplex
  stderr?: Duplex
  onResize(resized: (size: { width: number; height: number }) => void): void
  /** Tells what became of it (a `Status` in JSON), and ends the connection. */
  finish(status: string): Promise<void>
}

const streamsTimeoutMs = 30_000

/** Waits until the other side has opened the streams that its request promised. */
export function acceptCommandStreams(connection: SpdyConnection, wanted: Wanted): Promise<CommandStreams> {
  const expected = new Set(['error'])
  if (wanted.stdin) expected.add('stdin')
  if (wanted.stdout) expected.add('stdout')
  if (wanted.stderr && !wanted.tty) expected.add('stderr')
  if (wanted.tty) expected.add('resize')
  const streams: Record<string, Stream> = {}
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      connection.destroy()
      reject(new Error('timed out waiting for the client to create its streams'))
    }, streamsTimeoutMs)
    connection.onStream((stream) => {
      const type = stream.headers.streamtype ?? ''
      stream.respond(200, {})
      streams[type] = stream
      expected.delete(type)
      if (expected.size > 0) return
      clearTimeout(timer)
      const { stdin, stdout, stderr, error, resize } = streams
      resolve({
        ...(stdin ? { stdin } : {}),
        ...(stdout ? { stdout } : {}),
        ...(stderr ? { stderr } : {}),
        onResize: (resized) => resize?.on('data', (chunk: Buffer) => readSizes(chunk, resized)),
        finish: async (status) => {
          const ends = [stdout, stderr, error].filter((stream) => stream !== undefined)
          error?.write(status)
          await Promise.all(ends.map((stream) => new Promise((done) => stream.end(done))))
          connection.end()
        },
      })
    })
    connection.closed.then(() => {
      clearTimeout(timer)
      reject(new Error('the client has gone'))
    }, reject)
  })
}

/** Sizes come as JSON, one or more in a piece. */
function readSizes(chunk: Buffer, resized: (size: { width: number; height: number }) => void): void {
  for (const text of chunk.toString().match(/\{[^}]*\}/g) ?? []) {
    const { Width, Height } = JSON.parse(text) as { Width?: number; Height?: number }
    if (Width && Height) resized({ width: Width, height: Height })
  }
}
