import type { Duplex } from 'node:stream'
import { spdyConnection } from '../../../client/streams/spdy.ts'
import { spdyProtocols, upgradeToSpdy } from './upgrade.ts'

/** Which streams of a command are wanted. */
export interface Wanted {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  tty: boolean
}

/** A command that runs in a runtime, seen from who asked for it. */
export interface RemoteCommand {
  stdin?: Duplex
  stdout?: Duplex
  stderr?: Duplex
  resize(size: { width: number; height: number }): void
  /** What became of it, as a `Status` in JSON. Rejects when the connection goes before it is told. */
  readonly status: Promise<string>
  close(): void
}

/** Upstream's status of a command that went well; older protocols say nothing then. */
const success = JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' })

/** Joins the command behind a runtime's streaming address. */
export async function joinRemoteCommand(url: string, wanted: Wanted, signal?: AbortSignal): Promise<RemoteCommand> {
  const { socket, head, protocol } = await upgradeToSpdy(url, spdyProtocols, signal)
  const connection = spdyConnection(socket, false, head)
  const open = (streamtype: string): Promise<Duplex> => connection.open({ streamtype })
  // The order is upstream's: some runtimes wait for the error stream first.
  const error = await open('error')
  const [stdin, stdout, stderr, resize] = await Promise.all([
    wanted.stdin ? open('stdin') : undefined,
    wanted.stdout ? open('stdout') : undefined,
    wanted.stderr && !wanted.tty ? open('stderr') : undefined,
    wanted.tty ? open('resize') : undefined,
  ])
  const status = new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = []
    error.on('data', (chunk: Buffer) => chunks.push(chunk))
    error.once('end', () => {
      if (chunks.length > 0) resolve(Buffer.concat(chunks).toString())
      else if (!connection.isOpen) reject(new Error('the runtime closed the connection before the command had ended'))
      else if (protocol === spdyProtocols[0]) reject(new Error('the runtime did not say what became of the command'))
      else resolve(success)
    })
  })
  // Whoever waits for it hears of it; nobody may be waiting any more.
  status.catch(() => {})
  error.end()
  stdout?.end()
  stderr?.end()
  stdin?.resume()
  return {
    ...(stdin ? { stdin } : {}),
    ...(stdout ? { stdout } : {}),
    ...(stderr ? { stderr } : {}),
    resize: ({ width, height }) => {
      resize?.write(JSON.stringify({ Width: width, Height: height }))
    },
    status,
    close: () => connection.destroy(),
  }
}
