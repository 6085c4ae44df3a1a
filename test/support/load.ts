import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Load {
  /** Requests answered with 200 so far. */
  readonly served: number
  /** What went wrong, one line a request. */
  readonly failures: readonly string[]
  /** The answers' bodies since the last call. */
  take(): string[]
  stop(): Promise<void>
}

type Word = { id?: number; body?: string; error?: string; served?: string; failed?: string; ended?: true }

const program = fileURLToPath(new URL('./inside.mjs', import.meta.url))

/** Starts a process by `enter` (a command that goes before) which calls addresses from where that leads. */
function inside(enter: readonly string[]): ChildProcess {
  const [first = '', ...rest] = [...enter, process.execPath, program]
  return spawn(first, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

/** Calls `url` without pause, a new connection each time, until told to stop. */
export function constantLoad(
  enter: readonly string[],
  url: string,
  { clients = 4, pauseMs = 10, timeoutMs = 5000 } = {},
): Load {
  let served = 0
  let bodies: string[] = []
  const failures: string[] = []
  const child = inside(enter)
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.on('message', (word: Word) => {
    if (word.served !== undefined) {
      served++
      bodies.push(word.served)
    } else if (word.failed !== undefined) failures.push(word.failed)
    else if (word.ended) child.disconnect()
  })
  child.send({ id: 0, type: 'load', url, clients, pauseMs, timeoutMs })
  return {
    get served() {
      return served
    },
    failures,
    take() {
      const taken = bodies
      bodies = []
      return taken
    },
    async stop() {
      if (child.connected) child.send({ type: 'stop' })
      await gone
    },
  }
}

/** One request at a time from where `enter` leads; resolves to the body of a 200. */
export function caller(enter: readonly string[]): {
  call(url: string, timeoutMs?: number): Promise<string>
  stop(): void
} {
  const child = inside(enter)
  const waiting = new Map<number, { resolve(body: string): void; reject(error: Error): void }>()
  let last = 0
  child.on('message', ({ id = 0, body, error }: Word) => {
    const asked = waiting.get(id)
    waiting.delete(id)
    if (body !== undefined) asked?.resolve(body)
    else asked?.reject(new Error(error))
  })
  return {
    call: (url, timeoutMs = 2000) =>
      new Promise((resolve, reject) => {
        last++
        waiting.set(last, { resolve, reject })
        child.send({ id: last, type: 'call', url, timeoutMs })
      }),
    stop: () => child.disconnect(),
  }
}
