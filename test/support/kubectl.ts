import { type SpawnOptions, spawn } from 'node:child_process'
import { type ClientVersion, stockClients } from './stock-clients.ts'

export interface Run {
  stdout: string
  stderr: string
  code: number
}

export interface RunOptions {
  /** Text for its standard input. */
  input?: string
  /** A failure is what the test is about: do not throw. */
  expectFailure?: boolean
  /** Exit codes that are no failure, beside 0. */
  codes?: readonly number[]
  env?: Record<string, string>
  cwd?: string
  timeoutMs?: number
}

/** Stock kubectl, helm, and what a test needs to speak with one server. */
export interface Cli {
  kubectl(args: string | readonly string[], options?: RunOptions): Promise<Run>
  helm(args: string | readonly string[], options?: RunOptions): Promise<Run>
}

/**
 * Stock clients for the server of a kubeconfig. A run that fails throws with all that was said; one that must fail and
 * does not throws too. Arguments in one string are split at spaces. `enter` goes before each command.
 */
export function cliFor(
  kubeconfig: string,
  { version = 36 as ClientVersion, home = '', enter = [] as readonly string[] } = {},
): Cli {
  // Discovery is cached below HOME: a test must not see what another server served on the same port before.
  const env = { KUBECONFIG: kubeconfig, ...(home ? { HOME: home } : {}) }
  const tool =
    (name: 'kubectl' | 'helm') =>
    (args: string | readonly string[], options: RunOptions = {}) =>
      runTool([...enter, stockClients(version)[name]], typeof args === 'string' ? args.split(' ') : args, {
        ...options,
        env: { ...env, ...options.env },
      })
  return { kubectl: tool('kubectl'), helm: tool('helm') }
}

async function runTool(command: readonly string[], args: readonly string[], options: RunOptions): Promise<Run> {
  const [program = '', ...before] = command
  const run = await runProgram(program, [...before, ...args], options)
  const line = `${command.at(-1)?.split('/').at(-1)} ${args.join(' ')}`
  const said = `${line}: exit ${run.code}\n${run.stdout}${run.stderr}`
  if (options.expectFailure) {
    if (run.code === 0) throw new Error(`should have failed: ${said}`)
  } else if (run.code !== 0 && !options.codes?.includes(run.code)) throw new Error(said)
  return run
}

function runProgram(program: string, args: readonly string[], options: RunOptions): Promise<Run> {
  const { input, env, cwd, timeoutMs = 60_000 } = options
  const settings: SpawnOptions = {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(cwd ? { cwd } : {}),
  }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, settings)
    const run: Run = { stdout: '', stderr: '', code: 0 }
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      run.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      run.stderr += text
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (signal) run.stderr += `ended by ${signal}\n`
      resolve({ ...run, code: code ?? 137 })
    })
    // A program that does not read its input may be gone already.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? '')
  })
}
