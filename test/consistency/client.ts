import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { until } from '../support/until.ts'

export interface Answer {
  code: number
  headers: IncomingHttpHeaders
  text: string
  /** The body as JSON; undefined when it is none. */
  body: Body | undefined
}

/** What these tests look at in an object, a list or a Status. */
export interface Body {
  kind?: string
  apiVersion?: string
  metadata: {
    name?: string
    namespace?: string
    uid?: string
    resourceVersion?: string
    continue?: string
    remainingItemCount?: number
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  data?: Record<string, string>
  items?: Body[]
  code?: number
  reason?: string
  message?: string
  status?: unknown
}

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: Body
}

export interface RequestOptions {
  body?: unknown
  raw?: Buffer
  headers?: Record<string, string>
  timeoutMs?: number
}

/** Speaks to one server, byte for byte: nothing between the test and the wire that could be kind to either. */
export class ApiClient {
  readonly url: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64, rejectUnauthorized: false })

  constructor(url: string) {
    this.url = url
  }

  request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const { body, raw, headers = {}, timeoutMs = 30_000 } = options
    const payload = raw ?? (body === undefined ? undefined : Buffer.from(JSON.stringify(body)))
    const all = {
      ...(payload ? { 'content-type': 'application/json', 'content-length': String(payload.length) } : {}),
      ...headers,
    }
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(this.url)
      const req = httpsRequest({ method, hostname, port, path, headers: all, agent: this.#agent }, (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.once('error', reject)
        res.once('close', () => {
          clearTimeout(timer)
          if (!res.complete) reject(new Error(`${method} ${path}: the answer was cut off`))
          const text = Buffer.concat(chunks).toString()
          resolve({ code: res.statusCode ?? 0, headers: res.headers, text, body: parse(text) })
        })
      })
      const timer = setTimeout(
        () => req.destroy(new Error(`${method} ${path}: no answer in ${timeoutMs} ms`)),
        timeoutMs,
      )
      req.once('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
      req.end(payload)
    })
  }

  /** The body of an answer that must have a certain code. */
  async expect(code: number, method: string, path: string, options: RequestOptions = {}): Promise<Body> {
    const answer = await this.request(method, path, options)
    if (answer.code !== code || !answer.body)
      throw new Error(`${method} ${path}: ${answer.code} instead of ${code}: ${answer.text.slice(0, 1000)}`)
    return answer.body
  }

  watch(path: string): WatchStream {
    return new WatchStream(this.url, path)
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** A watch on a connection of its own, and everything it has brought. */
export class WatchStream {
  readonly events: WatchEvent[] = []
  /** The HTTP code of the answer; 0 while there is none. */
  code = 0
  /** The answer's text, where it was no watch. */
  text = ''
  isOver = false
  readonly #req: ReturnType<typeof httpsRequest>
  #res: IncomingMessage | undefined

  constructor(url: string, path: string) {
    const { hostname, port } = new URL(url)
    const target = `${path}${path.includes('?') ? '&' : '?'}watch=true`
    this.#req = httpsRequest({ hostname, port, path: target, agent: false, rejectUnauthorized: false }, (res) => {
      this.#res = res
      this.code = res.statusCode ?? 0
      let rest = ''
      res.setEncoding('utf8').on('data', (text: string) => {
        if (this.code !== 200) {
          this.text += text
          return
        }
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) this.events.push(JSON.parse(line) as WatchEvent)
      })
      res.once('error', () => {})
      res.once('close', () => {
        this.isOver = true
      })
    })
    this.#req.once('error', () => {
      this.isOver = true
    })
    this.#req.end()
  }

  /** Waits until the events are as wanted. */
  until(condition: (events: readonly WatchEvent[]) => unknown, message = 'the watch'): Promise<unknown> {
    return until(
      () => {
        if (condition(this.events)) return true
        if (this.isOver) throw new Error(`the watch ended with ${this.code} ${this.text}`)
        return false
      },
      { everyMs: 5, message: `${message} after ${this.events.length} events` },
    )
  }

  /** Waits until the server has answered, and so begun. */
  opened(): Promise<unknown> {
    return until(() => this.code > 0 || this.isOver, { everyMs: 5, message: 'the watch opens' })
  }

  /** Waits until the server ends it. */
  over(timeoutMs = 20_000): Promise<unknown> {
    return until(() => this.isOver, { everyMs: 5, timeoutMs, message: 'the watch ends' })
  }

  /** Stops reading; the connection stays. */
  pause(): void {
    this.#res?.pause()
  }

  resume(): void {
    this.#res?.resume()
  }

  close(): void {
    this.#req.destroy()
  }
}

/** The version of an object or list as a number: these tests may compare, clients may not. */
export const versionOf = (body: Body): number => Number(body.metadata.resourceVersion)

function parse(text: string): Body | undefined {
  try {
    return JSON.parse(text) as Body
  } catch {
    return undefined
  }
}
