import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { socketPath } from '../runtime/socket-path.ts'
import type { BuiltInDriver } from './built-in.ts'
import type { CallOptions, CsiConnection } from './client.ts'
import { CsiError } from './errors.ts'
import type { Capabilities, NodeInfo } from './messages.ts'
import { builtInInfo } from './topology.ts'

/** For what a driver answers off its cuff. */
const askTimeoutMs = 10_000

/** A driver as the node knows it. */
export interface KnownDriver {
  readonly name: string
  /** Where it listens: two that say the same name are told apart by it. */
  readonly socket: string
  readonly info: NodeInfo
}

interface Entry extends KnownDriver {
  /** Made at the first call. */
  open(): Promise<CsiConnection & { nodeCapabilities?: Promise<ReadonlySet<string>> }>
  close(): void
}

/** The drivers that are registered on this node: ours, and those that came through the registry. */
export class CsiDrivers {
  readonly #entries = new Map<string, Entry>()
  #changed: () => void = () => undefined
  #settle: () => void = () => undefined
  readonly #settled = new Promise<void>((resolve) => {
    this.#settle = resolve
  })
  #isSettled = false

  /** Who is to hear that a driver has come or gone. */
  onChange(changed: () => void): void {
    this.#changed = changed
  }

  list(): KnownDriver[] {
    return [...this.#entries.values()]
  }

  has(name: string): boolean {
    return this.#entries.has(name)
  }

  /** Every driver that was here before the agent started has had its turn to come back. */
  settle(): void {
    this.#isSettled = true
    this.#settle()
    this.#changed()
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Resolves when drivers that were here before have come back, if they do. */
  async settled(signal: AbortSignal): Promise<void> {
    if (this.#isSettled || signal.aborted) return
    const stop = new AbortController()
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true, signal: stop.signal })
    })
    await Promise.race([this.#settled, aborted])
    stop.abort()
  }

  /** A driver of ours: served in this process, on a socket like any other's, from its first call on. */
  addBuiltIn(driver: BuiltInDriver, options: { pluginsDirectory: string; nodeName: string; mayMount: boolean }): void {
    const { pluginsDirectory, nodeName, mayMount } = options
    const directory = join(pluginsDirectory, driver.name)
    const socket = join(directory, 'csi.sock')
    let server: { close(): void } | undefined
    this.#add({ name: driver.name, socket, info: builtInInfo(nodeName) }, async () => {
      const { serveCsi } = await import('./server.ts')
      const methods = await driver.load({ directory, nodeName, mayMount })
      await mkdir(directory, { recursive: true, mode: 0o750 })
      const short = socketPath(directory, 'csi.sock')
      server = await serveCsi(short, methods)
      return { socket: short, end: () => server?.close() }
    })
  }

  /** A driver that listens on a socket already. It takes the place of one of its name that was there before. */
  add(driver: KnownDriver): void {
    this.#add(driver, async () => ({ socket: driver.socket, end: () => undefined }))
  }

  /** Forgets the driver of that socket, unless another one has taken its name meanwhile. */
  remove(name: string, socket: string): void {
    const entry = this.#entries.get(name)
    if (entry?.socket !== socket) return
    entry.close()
    this.#entries.delete(name)
    this.#changed()
  }

  /** Calls an rpc of a driver. Throws a CsiError, also when there is no such driver. */
  async call<T>(name: string, method: string, request: object, options: CallOptions): Promise<T> {
    return (await this.#connection(name)).call<T>(method, request, options)
  }

  /** What the driver's node service can do; asked once. */
  async nodeCapabilities(name: string): Promise<ReadonlySet<string>> {
    const connection = await this.#connection(name)
    connection.nodeCapabilities ??= connection
      .call<Capabilities>('NodeGetCapabilities', {}, { timeoutMs: askTimeoutMs })
      .then(({ capabilities }) => new Set(capabilities.flatMap(({ rpc }) => rpc?.type ?? [])))
    const asking = connection.nodeCapabilities
    asking.catch(() => {
      delete connection.nodeCapabilities
    })
    return asking
  }

  stop(): void {
    for (const entry of this.#entries.values()) entry.close()
    this.#entries.clear()
  }

  async #connection(name: string) {
    const entry = this.#entries.get(name)
    if (!entry) {
      throw new CsiError('UNAVAILABLE', `driver name ${name} not found in the list of registered CSI drivers`)
    }
    return entry.open()
  }

  #add(driver: KnownDriver, serve: () => Promise<{ socket: string; end(): void }>): void {
    this.#entries.get(driver.name)?.close()
    let opening: ReturnType<Entry['open']> | undefined
    this.#entries.set(driver.name, {
      ...driver,
      open() {
        opening ??= serve().then(async ({ socket, end }) => {
          const { connectCsi } = await import('./client.ts')
          const connection = connectCsi(socket)
          return {
            ...connection,
            close() {
              connection.close()
              end()
            },
          }
        })
        opening.catch(() => {
          opening = undefined
        })
        return opening
      },
      close() {
        opening?.then(
          (connection) => connection.close(),
          () => undefined,
        )
      },
    })
    this.#changed()
  }
}
