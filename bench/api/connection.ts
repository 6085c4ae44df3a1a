import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

/**
 * One kept-alive HTTP/1.1 connection that does as little as a client can: the load generator shares its processors with
 * the server, and every microsecond it uses is one the server does not have.
 */
export class Connection {
  readonly #socket: TLSSocket
  #buffer: Buffer = Buffer.alloc(0)
  /** Of a large answer: what has come after {@link #buffer}, joined when all is there. */
  #more: Buffer[] = []
  #missing = 0
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined
  #closed: Error | undefined

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      if (this.#missing > 0) {
        this.#more.push(chunk)
        this.#missing -= chunk.length
        // Of a chunked answer nobody knows how much is missing: ask each time whether this was the end.
        if (this.#missing > 0 && !(this.#missing > unknownLength / 2 && chunk.subarray(-5).equals(lastChunk))) return
        this.#buffer = Buffer.concat([this.#buffer, ...this.#more])
        this.#more = []
        this.#missing = 0
      } else this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
      this.#parse()
    })
    const close = (error?: Error) => {
      this.#closed ??= error ?? new Error('the server closed the connection')
      this.#waiting?.reject(this.#closed)
      this.#waiting = undefined
    }
    socket.once('error', close)
    socket.once('close', () => close())
  }

  static open(options: ConnectionOptions): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(options, () => {
        socket.off('error', reject)
        socket.setNoDelay(true)
        resolve(new Connection(socket))
      })
      socket.once('error', reject)
    })
  }

  /** Sends a request that is ready to go and resolves to its answer. One at a time. */
  send(request: Buffer): Promise<Answer> {
    if (this.#closed) return Promise.reject(this.#closed)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #parse(): void {
    if (!this.#waiting) return
    const end = this.#buffer.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#buffer.toString('latin1', 0, end)
    const code = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: (\d+)/i.exec(head)
    const from = end + 4
    if (length) {
      const to = from + Number(length[1])
      if (this.#buffer.length >= to) this.#finish(code, this.#buffer.subarray(from, to), to)
      else this.#missing = to - this.#buffer.length
      return
    }
    // Chunked: the last chunk is an empty one. Only looked for at the end, for speed.
    if (this.#buffer.subarray(-5).equals(lastChunk))
      this.#finish(code, this.#buffer.subarray(from), this.#buffer.length)
    else this.#missing = unknownLength
  }

  #finish(code: number, body: Buffer, to: number): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#buffer = this.#buffer.subarray(to)
    waiting?.resolve({ code, body })
  }
}

const unknownLength = 2 ** 50
const lastChunk = Buffer.from('0\r\n\r\n')

export interface Answer {
  code: number
  /** Of a chunked answer: with the chunks' own lines. */
  body: Buffer
}

/** A request as bytes. */
export function request(
  method: string,
  path: string,
  host: string,
  headers: Record<string, string>,
  body?: string,
): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Accept: application/json']
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`)
}
