import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

/**
 * One kept-alive HTTP/1.1 connection that does as little as a client can: the load generator shares its processors with
 * the server, and every microsecond it uses is one the server does not have. Bodies are counted, not kept.
 */
export class Connection {
  readonly #socket: TLSSocket
  /** What has come of an answer's head. */
  #head: Buffer | undefined
  /** The answer whose body is coming. */
  #answer: Answer | undefined
  /** Bytes of the body still to come; of a chunked one nobody knows. */
  #missing = 0
  #chunked = false
  #tail: Buffer = Buffer.alloc(0)
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined
  #closed: Error | undefined

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#read(chunk))
    const close = (error?: Error) => {
      this.#closed ??= error ?? new Error('the server closed the connection')
      this.#waiting?.reject(this.#closed)
      this.#waiting = undefined
    }
    socket.once('error', close)
    socket.once('close', () => close())
  }

  /** Connects, or rejects with why not. */
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

  #read(chunk: Buffer): void {
    if (this.#answer) {
      this.#body(chunk, this.#answer)
      return
    }
    const head = this.#head ? Buffer.concat([this.#head, chunk]) : chunk
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) {
      this.#head = head
      return
    }
    this.#head = undefined
    const text = head.toString('latin1', 0, end)
    const length = /\r\ncontent-length: (\d+)/i.exec(text)
    const code = Number(text.slice(9, 12))
    this.#chunked = !length && code !== 204
    this.#missing = Number(length?.[1] ?? 0)
    this.#answer = { code, bytes: 0, start: Buffer.alloc(0) }
    this.#body(head.subarray(end + 4), this.#answer)
  }

  #body(chunk: Buffer, answer: Answer): void {
    answer.bytes += chunk.length
    if (answer.start.length === 0) answer.start = chunk.subarray(0, keptBytes)
    if (this.#chunked) {
      // The last chunk is an empty one, and JSON has no line ends of its own that could look like it.
      const end = chunk.length >= lastChunk.length ? chunk : Buffer.concat([this.#tail, chunk])
      this.#tail = end.subarray(-lastChunk.length)
      if (!this.#tail.equals(lastChunk)) return
      this.#tail = Buffer.alloc(0)
    } else {
      this.#missing -= chunk.length
      if (this.#missing > 0) return
    }
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#answer = undefined
    waiting?.resolve(answer)
  }
}

const lastChunk = Buffer.from('0\r\n\r\n')
const keptBytes = 300

export interface Answer {
  code: number
  /** Length of the body; of a chunked one with the chunks' own lines. */
  bytes: number
  /** How the body begins: enough to say what went wrong. */
  start: Buffer
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
