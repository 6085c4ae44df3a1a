import { Duplex } from 'node:stream'
import transport, { type Connection, type Stream } from 'spdy-transport'

export type { Stream } from 'spdy-transport'

/** SPDY/3.1 over a connection that has been upgraded to it, as upstream's clients, servers and runtimes speak it. */
export interface SpdyConnection {
  /** Streams that the other side opens, those from before this call too; to be accepted with `respond`. */
  onStream(opened: (stream: Stream) => void): void
  /** Opens a stream with headers such as `streamtype`. */
  open(headers: Record<string, string>): Promise<Stream>
  /** Settles when the connection has gone. */
  readonly closed: Promise<void>
  /** Whether it has not gone yet: known before its streams end by that. */
  readonly isOpen: boolean
  /** Ends the connection once what was written has been sent. */
  end(): void
  destroy(): void
}

/** What must be in every stream's headers for spdy-transport to take it; upstream sends none of it. */
const expectedHeaders = { ':method': 'POST', ':path': '/', ':status': '200' }
/** Above this much that nobody has read yet, the other side has to wait. */
const unreadBytes = 1024 * 1024
const lookAgainMs = 5
const nothing = Buffer.alloc(0)

/** Speaks SPDY on a socket. `head` is what came with the upgrade already. */
export function spdyConnection(socket: Duplex, isServer: boolean, head?: Buffer): SpdyConnection {
  const wire = wireOf(socket, head)
  const connection = transport.connection.create(wire, { protocol: 'spdy', isServer })
  const state = connection._spdyState
  const streams = new Set<Stream>()

  const parse = state.parser.parseKVs.bind(state.parser)
  state.parser.parseKVs = (buffer, callback) =>
    parse(buffer, (error, headers) => (error ? callback(error) : callback(null, { ...expectedHeaders, ...headers })))
  withoutFlowControl(state.window)
  const create = connection._createStream.bind(connection)
  connection._createStream = (options) => {
    const stream = create(options)
    withoutFlowControl(stream._spdyState.window)
    streams.add(stream)
    stream.once('close', () => {
      streams.delete(stream)
      // Go's servers reset every stream when they are done: what came before that is still to be read, to its end.
      stream.push(null)
    })
    // A stream's own failure ends the stream; whoever reads it sees that.
    stream.on('error', () => stream.destroy())
    return stream
  }
  holdBack(connection, streams)
  // What has come but has not been read yet stays to be read: its stream ends, and is not destroyed.
  connection.destroyStreams = () => {
    isOpen = false
    for (const stream of streams) stream.push(null)
  }
  // The end counts only once everything before it has been taken apart.
  state.parser.once('end', () => setImmediate(() => wire.emit('close')))
  // The socket's end says it all.
  connection.on('error', () => socket.destroy())
  let isOpen = true
  const closed = new Promise<void>((resolve) => {
    connection.once('close', () => resolve())
  })
  // spdy-transport aborts a stream that comes while nobody listens, as between a connection and the module that serves it.
  const early: Stream[] = []
  const keep = (stream: Stream) => {
    early.push(stream)
  }
  connection.on('stream', keep)
  connection.start(3.1)
  return {
    onStream: (opened) => {
      connection.off('stream', keep)
      connection.on('stream', opened)
      for (const stream of early.splice(0)) opened(stream)
    },
    open: (headers) =>
      new Promise((resolve, reject) => {
        connection.request({ method: 'POST', path: '/', host: 'localhost', headers }, (error, stream) =>
          error ? reject(error) : resolve(stream),
        )
      }),
    closed,
    get isOpen() {
      return isOpen
    },
    end: () => {
      const isSent = () => state.framer.count === 0 && state.framer.readableLength === 0 && wire.writableLength === 0
      const endWhenSent = () => {
        if (isSent() || socket.destroyed) socket.end()
        else wire.write(nothing, () => setImmediate(endWhenSent))
      }
      endWhenSent()
    },
    destroy: () => socket.destroy(),
  }
}

/** The socket as spdy-transport sees it: it closes only when we say so. */
function wireOf(socket: Duplex, head: Buffer | undefined): Duplex {
  const wire = new Duplex({
    emitClose: false,
    autoDestroy: false,
    read: () => {
      socket.resume()
    },
    // The second write to somebody who has gone fails, and what was still to be read is lost with it. So one write a turn:
    // between two of them, what has come is read.
    writev: (chunks, callback) =>
      void setImmediate(() => {
        // Whoever has gone needs nothing more; that it has gone is told by its close.
        if (socket.destroyed || !socket.writable) callback()
        else socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), () => callback())
      }),
    final: (callback) => {
      socket.end(() => callback())
    },
  })
  if (head && head.length > 0) wire.push(head)
  let ended = false
  const end = () => {
    if (!ended) wire.push(null)
    ended = true
  }
  socket.on('data', (chunk) => {
    if (!wire.push(chunk)) socket.pause()
  })
  socket.once('end', end).once('close', end)
  socket.on('error', () => socket.destroy())
  return wire
}

/** Upstream's SPDY has no flow control: it sends as much as it likes, and never says that more may be sent. */
function withoutFlowControl(window: Connection['_spdyState']['window']): void {
  for (const side of [window.send, window.recv]) {
    side.update = (_size, callback) => {
      if (callback) process.nextTick(callback)
    }
    side.isDraining = () => false
  }
}

/** Instead, stops reading the connection while a stream is not read: the other side's writes then wait. */
function holdBack(connection: Connection, streams: ReadonlySet<Stream>): void {
  const { parser } = connection._spdyState
  const isFull = () => [...streams].some((stream) => stream.readableLength > unreadBytes)
  let held = false
  parser.on('data', () => {
    if (held || !isFull()) return
    held = true
    parser.pause()
    const timer = setInterval(() => {
      if (isFull()) return
      clearInterval(timer)
      held = false
      parser.resume()
    }, lookAgainMs)
    timer.unref()
  })
}
