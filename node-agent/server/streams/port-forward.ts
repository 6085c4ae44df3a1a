import type { Duplex } from 'node:stream'
import type { SpdyConnection, Stream } from '../../../client/streams/spdy.ts'

/**
 * Serves port-forwarding over SPDY: each connection is a pair of streams, one for its data and one for what goes wrong, that
 * bear the same request id.
 */
export function servePortForward(connection: SpdyConnection, connect: (port: number) => Promise<Duplex>): void {
  const pairs = new Map<string, { data?: Stream; error?: Stream }>()
  connection.onStream((stream) => {
    const { streamtype, port = '', requestid } = stream.headers
    stream.respond(200, {})
    // Clients before request ids opened the error stream first, and the data stream next.
    const id = requestid ?? String(streamtype === 'error' ? stream.id : stream.id - 2)
    const pair = pairs.get(id) ?? {}
    if (streamtype === 'error') pair.error = stream
    else pair.data = stream
    pairs.set(id, pair)
    const { data, error } = pair
    if (!data || !error) return
    pairs.delete(id)
    connect(Number(port)).then(
      (target) => join(data, error, target),
      (reason: Error) => {
        error.end(`an error occurred forwarding ${port} -> ${port}: ${reason.message}`)
        data.end()
      },
    )
  })
}

function join(data: Stream, error: Stream, target: Duplex): void {
  target.pipe(data)
  data.pipe(target)
  const end = () => {
    data.destroy()
    error.end()
    target.destroy()
  }
  target.once('error', end)
  target.once('close', () => error.end())
  data.once('error', end)
  data.once('close', () => target.end())
}
