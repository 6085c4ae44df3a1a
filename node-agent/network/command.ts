import { spawn } from 'node:child_process'

/** Runs a program to its end and gives its standard output. Throws {@link CommandError} when it fails. */
export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<string>

export interface RunOptions {
  /** Written to its standard input. */
  input?: string
  /** It is killed after this long. */
  timeoutMs?: number
}

/** A program that ended with another code than 0, or could not be started (then `code` is undefined). */
export class CommandError extends Error {
  readonly command: string
  readonly code: number | undefined
  readonly stderr: string

  constructor(command: string, args: readonly string[], code: number | undefined, stderr: string) {
    const said = stderr.trim().split('\n').slice(0, 4).join('; ')
    super(`${[command, ...args].join(' ')} ${code === undefined ? 'could not run' : `ended with ${code}`}: ${said}`)
    this.name = 'CommandError'
    this.command = command
    this.code = code
    this.stderr = stderr
  }
}

export const runCommand: Run = (command, args, { input, timeoutMs = 30_000 } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', (error) => reject(new CommandError(command, args, undefined, error.message)))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString())
      const stderr = Buffer.concat(err).toString() || (signal ? `killed by ${signal}` : '')
      reject(new CommandError(command, args, code ?? -1, stderr))
    })
    // A program that ends before it has read its input has its exit code to say why.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })

/** The same, behind a prefix such as `nsenter --net=PATH`. */
export const runBehind =
  (enter: readonly string[], run: Run = runCommand): Run =>
  (command, args, options) => {
    const [first, ...rest] = [...enter, command, ...args]
    return run(first as string, rest, options)
  }
