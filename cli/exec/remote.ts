import type { WebSocket } from 'ws'
import { CliError } from '../errors.ts'
import type { Io, Terminal } from '../io.ts'
import type { Session } from '../session.ts'
import { channel, closing, exitCodeOf, frame, protocol } from './channels.ts'
import { type Detached, detachAt } from './detach.ts'
import { openWebSocket } from './web-socket.ts'

/** What is to be connected with this terminal, or with these pipes. */
export interface Remote {
  /** Of the subresource: `…/pods/web/exec`. */
  path: string
  query: URLSearchParams
  stdin: boolean
  /** The terminal to hand over as it is; undefined without one. */
  terminal: Terminal | undefined
  /** With a terminal: keys that end the connection and leave the process alone. */
  detachKeys?: string
  /** Called when the other side says something. */
  onOutput?: () => void
}

/** Connects, and resolves to the exit code when the other side has ended, or to 0 when the user has let go of it. */
export async function runRemote(session: Session, remote: Remote): Promise<number> {
  const socket = await openWebSocket(session, remote.path, remote.query, [protocol])
  const ending = whenEnded(socket, session.io, remote.onOutput)
  // Told by the await below; here only so that it is not unheard when something else fails first.
  ending.catch(() => {})
  const giveBack = remote.terminal ? takeTerminal(socket, remote.terminal) : () => {}
  try {
    const detached = remote.stdin ? sendInput(socket, session.io, remote) : new Promise<never>(() => {})
    return await Promise.race([ending, detached.then(() => 0)])
  } finally {
    giveBack()
    socket.terminate()
    // Nobody reads any more, and what is open would keep this process.
    if (remote.stdin) session.io.stdin.destroy()
  }
}

/** Shows what comes; resolves to the exit code. */
function whenEnded(socket: WebSocket, io: Io, onOutput: () => void = () => {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const shown: Promise<void>[] = []
    const after = (then: () => void) => void Promise.all(shown).then(then, reject)
    const show = (to: 'out' | 'err', bytes: Buffer) => {
      if (bytes.length > 0) onOutput()
      const room = io.write(to, bytes)
      if (!room) return
      // Whoever reads us is slow: so are we.
      socket.pause()
      shown.push(room.then(() => socket.resume()))
    }
    let exitCode: number | undefined
    socket.on('message', (data: Buffer) => {
      const bytes = data.subarray(1)
      if (data[0] === channel.stdout) show('out', bytes)
      else if (data[0] === channel.stderr) show('err', bytes)
      else if (data[0] === channel.error) {
        try {
          exitCode = exitCodeOf(bytes.toString())
        } catch (error) {
          after(() => reject(error))
        }
      }
    })
    socket.once('close', (code) =>
      after(() =>
        exitCode === undefined
          ? reject(new CliError(`the connection to the container was lost (${code}): the command may still run`))
          : resolve(exitCode),
      ),
    )
    socket.on('error', reject)
    io.signal.addEventListener('abort', () => reject(io.signal.reason), { once: true })
  })
}

/** Raw keys go there, and so does every new size of the window. Returns what undoes it. */
function takeTerminal(socket: WebSocket, terminal: Terminal): () => void {
  const tell = () => {
    const size = terminal.size()
    if (size) socket.send(frame(channel.resize, JSON.stringify({ Width: size.columns, Height: size.rows })))
  }
  terminal.setRaw(true)
  tell()
  const stop = terminal.onResize(tell)
  return () => {
    stop()
    terminal.setRaw(false)
  }
}

/** Sends standard input until its end; resolves only when the user detaches. */
async function sendInput(socket: WebSocket, { stdin }: Io, { terminal, detachKeys }: Remote): Promise<Detached> {
  const filter = terminal && detachKeys ? detachAt(detachKeys) : undefined
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      const { bytes, detached } = filter ? filter(chunk) : { bytes: chunk, detached: false }
      if (bytes.length > 0) await sent(socket, frame(channel.stdin, bytes))
      if (detached) return 'detached'
    }
    await sent(socket, closing(channel.stdin))
  } catch (error) {
    // The other side has ended meanwhile: it says itself how.
    if (socket.readyState === socket.OPEN) throw error
  }
  return new Promise<never>(() => {})
}

const sent = (socket: WebSocket, message: Buffer): Promise<void> =>
  new Promise((resolve, reject) => socket.send(message, (error) => (error ? reject(error) : resolve())))
