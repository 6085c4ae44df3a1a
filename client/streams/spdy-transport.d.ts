declare module 'spdy-transport' {
  import type { EventEmitter } from 'node:events'
  import type { Duplex, Readable } from 'node:stream'

  interface Side {
    update(size: number, callback?: () => void): void
    isDraining(): boolean
  }

  interface Window {
    send: Side
    recv: Side
  }

  type Headers = Record<string, string>

  export interface Stream extends Duplex {
    readonly id: number
    readonly headers: Headers
    respond(status: number, headers: Headers, callback?: (error?: Error) => void): void
    abort(): void
    _spdyState: { window: Window }
  }

  export interface Connection extends EventEmitter {
    start(version: number): void
    request(
      options: { method: string; path: string; host: string; headers: Headers },
      callback: (error: Error | null, stream: Stream) => void,
    ): Stream
    _createStream(options: object): Stream
    destroyStreams(error?: Error): void
    _spdyState: {
      window: Window
      /** What is to be sent; `count` pieces of it are not in its buffer yet. */
      framer: Readable & { readonly count: number }
      parser: Duplex & { parseKVs(buffer: unknown, callback: (error: Error | null, headers?: Headers) => void): void }
    }
  }

  const transport: {
    connection: {
      create(socket: Duplex, options: { protocol: 'spdy'; isServer: boolean }): Connection
    }
  }
  export default transport
}
