import type { Duplex } from 'node:stream'
import type { Pod } from '../../api/generated/types.ts'
import { pathOf } from '../../client/client.ts'
import { pods } from '../../client/resources.ts'
import type { SpdyConnection } from '../../client/streams/spdy.ts'
import type { Live } from '../../client/types.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import { untilSo } from '../until.ts'
import { upgradeToSpdy } from './upgrade.ts'

const retryMs = 500
const maxRetryMs = 5000

/** The connection to a pod that all forwarded ones go through. When it is lost it is made again, to the pod that is there then. */
export class Tunnel {
  readonly #session: Session
  readonly #find: () => Promise<Live<Pod>>
  #pod: Live<Pod>
  #connection: Promise<SpdyConnection> | undefined
  #closed = false
  #requests = 0

  constructor(session: Session, pod: Live<Pod>, find: () => Promise<Live<Pod>>) {
    this.#session = session
    this.#pod = pod
    this.#find = find
  }

  /** Connects, the first time to the pod it was made for. Rejects with why that cannot be. */
  connect(): Promise<SpdyConnection> {
    this.#connection ??= this.#open()
    return this.#connection
  }

  /** One connection to a port of the pod. `onError` is called with what the other side says of it. */
  async open(port: number, onError: (message: string) => void): Promise<Duplex> {
    const connection = await this.connect()
    const headers = { port: String(port), requestid: String(this.#requests++) }
    const error = await connection.open({ ...headers, streamtype: 'error' })
    error.end()
    let message = ''
    error.on('data', (chunk: Buffer) => {
      message += chunk
    })
    error.once('end', () => message && onError(message))
    return connection.open({ ...headers, streamtype: 'data' })
  }

  close(): void {
    this.#closed = true
    this.#connection?.then(
      (connection) => connection.destroy(),
      () => {},
    )
  }

  async #open(): Promise<SpdyConnection> {
    const { namespace, name } = this.#pod.metadata
    const path = pathOf(pods, namespace, name, 'portforward')
    const { socket, head } = await upgradeToSpdy(this.#session, path)
    // The library warns of what it uses itself, and the user can do nothing about that.
    process.noDeprecation = true
    const { spdyConnection } = await import('../../client/streams/spdy.ts')
    const connection = spdyConnection(socket, false, head)
    this.#whenGone().then(
      () => connection.destroy(),
      () => {},
    )
    socket.once('close', () => {
      connection.destroy()
      this.#connection = undefined
      if (!this.#closed) void this.#reconnect()
    })
    return connection
  }

  /** Resolves when the pod goes: the connection to it may outlive it. */
  async #whenGone(): Promise<void> {
    const { name, namespace, uid } = this.#pod.metadata
    const kind = (await this.#session.kinds()).named('pods')
    await untilSo(
      this.#session,
      { kind, name, namespace },
      (pod) => !pod || pod.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined,
    )
  }

  /** Looks for a pod until there is one that can be connected to. */
  async #reconnect(): Promise<void> {
    const { io, clock } = this.#session
    io.err(`lost connection to pod ${this.#pod.metadata.name}, looking for one in its place\n`)
    for (let waitMs = retryMs; !this.#closed && !io.signal.aborted; waitMs = Math.min(waitMs * 2, maxRetryMs)) {
      try {
        await clock.sleep(waitMs, io.signal)
        const pod = await this.#find()
        if (pod.metadata.deletionTimestamp || pod.status?.phase !== 'Running')
          throw new CliError(`pod ${pod.metadata.name} does not run yet`)
        this.#pod = pod
        await this.connect()
        io.err(`connected to pod ${pod.metadata.name}\n`)
        return
      } catch {
        // Whatever it is, it may pass; who does not want to wait presses Ctrl-C.
        this.#connection = undefined
      }
    }
  }
}
