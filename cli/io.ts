import type { Readable } from 'node:stream'

/** What a verb hears and says: the terminal, or a test. */
export interface Io {
  out(text: string): void
  err(text: string): void
  /** Bytes as they come: logs, the output of a command. */
  write(to: 'out' | 'err', bytes: Uint8Array): void
  stdin: Readable
  isTerminal: { stdin: boolean; stdout: boolean }
  env: NodeJS.ProcessEnv
  /** Fires when the user wants an end of it. */
  signal: AbortSignal
}

/** The terminal of this process. Ctrl-C fires the signal; pressed again it ends the process. */
export function processIo(): Io {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      process.once(name, () => process.exit(130))
      stop.abort(new Interrupted())
    })
  }
  // `gantry get pods | head -1`: whoever has read enough is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    write: (to, bytes) => void (to === 'out' ? process.stdout : process.stderr).write(bytes),
    stdin: process.stdin,
    isTerminal: { stdin: process.stdin.isTTY ?? false, stdout: process.stdout.isTTY ?? false },
    env: process.env,
    signal: stop.signal,
  }
}

/** The user has pressed Ctrl-C: nothing to explain. */
export class Interrupted extends Error {}
