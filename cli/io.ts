import type { Readable } from 'node:stream'
import { isatty } from 'node:tty'

/** What a verb hears and says: the terminal, or a test. */
export interface Io {
  out(text: string): void
  err(text: string): void
  /** Bytes as they come: logs, the output of a command. A promise while whoever reads them is behind. */
  write(to: 'out' | 'err', bytes: Uint8Array): Promise<void> | undefined
  stdin: Readable
  /** The terminal that standard input is; undefined where it is none. */
  terminal?: Terminal
  isTerminal: { stdin: boolean; stdout: boolean }
  env: NodeJS.ProcessEnv
  /** Fires when the user wants an end of it. */
  signal: AbortSignal
}

/** A terminal that can be handed over to a command elsewhere. */
export interface Terminal {
  /** Raw: every key is passed on as it is, Ctrl-C too. */
  setRaw(raw: boolean): void
  size(): { columns: number; rows: number } | undefined
  /** Calls at every new size; returns what ends that. */
  onResize(listener: () => void): () => void
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
    write(to, bytes) {
      const stream = to === 'out' ? process.stdout : process.stderr
      return stream.write(bytes) ? undefined : new Promise((resolve) => stream.once('drain', resolve))
    },
    // Node makes the stream when it is first looked at, and most verbs never do.
    get stdin() {
      return process.stdin
    },
    ...(isatty(0) ? { terminal: processTerminal() } : {}),
    isTerminal: { stdin: isatty(0), stdout: isatty(1) },
    env: process.env,
    signal: stop.signal,
  }
}

function processTerminal(): Terminal {
  const { stdout } = process
  let isRaw = false
  return {
    setRaw(raw) {
      isRaw = raw
      process.stdin.setRawMode(raw)
      // Node's raw mode still puts a return before each new line, and a full-screen program means what it sends. Where
      // there is no stty the picture may be crooked, and nothing else is.
      // Processes are loaded only here: every verb would wait for them.
      if (raw)
        import('node:child_process').then(({ spawnSync }) => {
          if (isRaw) spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
        }, warn)
    },
    size: () => (stdout.isTTY ? { columns: stdout.columns, rows: stdout.rows } : undefined),
    onResize(listener) {
      stdout.on('resize', listener)
      return () => void stdout.off('resize', listener)
    },
  }
}

const warn = (error: unknown): void => process.emitWarning(String(error))

/** The user has pressed Ctrl-C: nothing to explain. */
export class Interrupted extends Error {}
