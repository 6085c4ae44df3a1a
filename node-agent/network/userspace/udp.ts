import { createSocket, type Socket } from 'node:dgram'
import type { Backend } from '../services/backends.ts'
import { Balancer } from './balancer.ts'
import { type Frontend, type FrontendOptions, retryMs } from './frontend.ts'

interface Flow {
  socket: Socket
  backend: Backend
  idle: NodeJS.Timeout
  /** What came before the socket was ready; undefined since then. */
  waiting: Buffer[] | undefined
}

/** Takes datagrams and passes them on. A client that keeps its port keeps its backend, as long as it speaks and that serves. */
export class UdpFrontend implements Frontend {
  readonly #options: FrontendOptions
  readonly #balancer = new Balancer(Date.now)
  readonly #flows = new Map<string, Flow>()
  #socket: Socket | undefined
  #retry: NodeJS.Timeout | undefined
  #told = false

  constructor(options: FrontendOptions) {
    this.#options = options
    this.#bind()
  }

  set(backends: readonly Backend[], affinitySeconds: number | undefined): void {
    this.#balancer.set(backends, affinitySeconds)
    for (const [client, { backend }] of this.#flows) if (!this.#balancer.has(backend)) this.#end(client)
  }

  async stop(): Promise<void> {
    clearTimeout(this.#retry)
    for (const client of this.#flows.keys()) this.#end(client)
    const socket = this.#socket
    this.#socket = undefined
    if (socket) await new Promise<void>((resolve) => socket.close(() => resolve()))
  }

  #bind(): void {
    const { ip, port } = this.#options
    const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', (error) => {
      socket.close()
      if (!this.#told) this.#options.unavailable(error)
      this.#told = true
      this.#retry = setTimeout(() => this.#bind(), retryMs)
      this.#retry.unref()
    })
    socket.bind(port, ip, () => {
      this.#socket = socket
      socket.removeAllListeners('error')
      // A client that is gone refuses its answer, and that is told to us.
      socket.on('error', () => undefined)
      socket.on('message', (message, { address, port: from }) => this.#forward(message, address, from))
    })
  }

  #forward(message: Buffer, address: string, port: number): void {
    const client = `${address} ${port}`
    const flow = this.#flows.get(client) ?? this.#begin(client, address, port)
    if (!flow) return
    flow.idle.refresh()
    if (!flow.waiting) flow.socket.send(message, () => undefined)
    else if (flow.waiting.length < mostWaiting) flow.waiting.push(message)
  }

  #begin(client: string, address: string, port: number): Flow | undefined {
    const backend = this.#flows.size < mostFlows ? this.#balancer.pick(address) : undefined
    if (!backend) return undefined
    const socket = createSocket(backend.ip.includes(':') ? 'udp6' : 'udp4')
    const flow: Flow = { socket, backend, idle: setTimeout(() => this.#end(client), idleMs).unref(), waiting: [] }
    socket.on('error', () => this.#end(client))
    socket.on('message', (answer) => this.#socket?.send(answer, port, address, () => undefined))
    socket.connect(backend.port, backend.ip, (error?: Error) => {
      if (error) return this.#end(client)
      for (const message of flow.waiting ?? []) socket.send(message, () => undefined)
      flow.waiting = undefined
    })
    this.#flows.set(client, flow)
    return flow
  }

  #end(client: string): void {
    const flow = this.#flows.get(client)
    if (!flow) return
    this.#flows.delete(client)
    clearTimeout(flow.idle)
    flow.socket.close()
  }
}

const idleMs = 60_000
const mostFlows = 4096
const mostWaiting = 16
