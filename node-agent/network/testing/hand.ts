import { startProgram } from './programs.ts'

export type HandCommand =
  | { op: 'serve'; name: string }
  | { op: 'call'; host: string; port: number; times: number; timeoutMs: number }
  | { op: 'say'; host: string; port: number; socket: string }
  | { op: 'ask'; server: string; name: string; type: string }
  | { op: 'load'; host: string; port: number; pauseMs: number; timeoutMs: number }
  | { op: 'load-end' }

/** What one call brought: who answered and whom it saw, or the error. */
export interface Heard {
  /** When it began, in milliseconds since 1970. */
  at: number
  ms: number
  name?: string
  from?: string
  error?: string
}

/** A process in a namespace that serves and calls for a test. */
export interface Hand {
  /** HTTP at 8080 and datagrams at 8081, answering with `name`. */
  serve(name: string): Promise<void>
  call(host: string, port: number, times?: number, timeoutMs?: number): Promise<Heard[]>
  /** The answer to a datagram; calls with the same `socket` use the same one. */
  say(host: string, port: number, socket: string): Promise<string>
  ask(server: string, name: string, type?: string): Promise<unknown>
  /** Calls without end; the function returned ends it and gives all that was heard. */
  load(host: string, port: number, pauseMs?: number, timeoutMs?: number): Promise<() => Promise<Heard[]>>
  end(): Promise<void>
}

export function startHand(enter: readonly string[]): Hand {
  const program = startProgram('hand-program', enter, [])
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>()
  program.lines.on('line', (line) => {
    const { id, answer, error } = JSON.parse(line)
    const waiter = waiting.get(id)
    waiting.delete(id)
    if (error) waiter?.reject(new Error(error))
    else waiter?.resolve(answer)
  })
  let next = 0
  const act = <T>(command: HandCommand) =>
    new Promise<T>((resolve, reject) => {
      const id = next++
      waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject })
      program.write({ id, ...command })
    })
  return {
    serve: (name) => act({ op: 'serve', name }),
    call: (host, port, times = 1, timeoutMs = 3000) => act({ op: 'call', host, port, times, timeoutMs }),
    say: (host, port, socket) => act({ op: 'say', host, port, socket }),
    ask: (server, name, type = 'A') => act({ op: 'ask', server, name, type }),
    async load(host, port, pauseMs = 2, timeoutMs = 3000) {
      await act({ op: 'load', host, port, pauseMs, timeoutMs })
      return () => act({ op: 'load-end' })
    },
    end: () => program.end(),
  }
}
