import { createConnection, createServer, type Server, type Socket } from 'node:net'
import type { Backend } from '../services/backends.ts'
import { Balancer } from './balancer.ts'
import { type Frontend, type FrontendOptions, retryMs } from './frontend.ts'

/** Takes connections and passes their bytes on, each connection to one backend. */
export class TcpFrontend implements Frontend {
  readonly #options: FrontendOptions
  readonly #balancer = new Balancer(Date.now)
  readonly #open = new Set<Socket>()
  readonly #server: Server
  #retry: NodeJS.Timeout | undefined
  #told = false

  constructor(options: FrontendOptions) {
    this.#options = options
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
      this.#keep(client)
      this.#connect(client, new Set())
    })
    this.#server.on('error', (error) => {
      if (!this.#told) this.#options.unavailable(error)
      this.#told = true
      this.#retry = setTimeout(() => this.#listen(), retryMs)
      this.#retry.unref()
    })
    this.#listen()
  }

  set(backends: readonly Backend[], affinitySeconds: number | undefined): void {
    this.#balancer.set(backends, affinitySeconds)
  }

  async stop(): Promise<void> {
    clearTimeout(this.#retry)
    for (const socket of this.#open) socket.destroy()
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #listen(): void {
    this.#server.listen({ host: this.#options.ip, port: this.#options.port, exclusive: true })
  }

  /** A backend that does not take the connection is passed over for the next: a pod may be gone before its endpoint is. */
  #connect(client: Socket, tried: Set<Backend>): void {
    const backend = this.#balancer.pick(client.remoteAddress ?? '', tried)
    if (!backend) {
      client.resetAndDestroy()
      return
    }
    tried.add(backend)
    const target = createConnection({ host: backend.ip, port: backend.port, allowHalfOpen: true, noDelay: true })
    this.#keep(target)
    const failed = () => this.#connect(client, tried)
    const gone = () => target.destroy()
    target.once('error', failed)
    client.once('close', gone)
    target.once('connect', () => {
      target.off('error', failed)
      // An end is passed on by the pipe; a break is passed on as a break.
      target.once('error', () => client.resetAndDestroy())
      client.once('error', () => target.resetAndDestroy())
      client.pipe(target)
      target.pipe(client)
    })
  }

  #keep(socket: Socket): void {
    this.#open.add(socket)
    socket.on('close', () => this.#open.delete(socket))
    // Each side hears of its end by its close; an error alone must not end the process.
    socket.on('error', () => undefined)
  }
}
