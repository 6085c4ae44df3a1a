import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Cli, cliFor } from './kubectl.ts'
import type { ClientVersion } from './stock-clients.ts'

export interface TestServer extends Cli {
  readonly url: string
  readonly pid: number
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string
  /** A directory of its own, for a test's files; removed with the server. */
  readonly directory: string
  /** From the start of the process to its word that it serves. */
  readonly startMs: number
  /** Stock clients of another version. */
  clients(version: ClientVersion): Cli
  /** Ends the process without warning. */
  kill9(): Promise<void>
  /** Starts it again on the same data and port, after it has been stopped or killed. */
  restart(): Promise<void>
  /** Stops it and removes its data. */
  stop(): Promise<void>
}

export interface TestServerOptions {
  /** Endpoints of etcd. Without: the embedded store. */
  etcd?: readonly string[]
  args?: readonly string[]
}

const gantry = fileURLToPath(new URL('../../bin/gantry', import.meta.url))
const readyMs = 30_000
const stopMs = 20_000

/** Starts our API server in a process of its own, on a free port and in a temporary directory, and waits for it. */
export async function startServer({ etcd = [], args = [] }: TestServerOptions = {}): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-server-'))
  const flags = ['apiserver', '--bind-address=127.0.0.1', `--data-dir=${join(directory, 'data')}`, ...args]
  if (etcd.length > 0) flags.push(`--etcd-servers=${etcd.join(',')}`)
  const launch = async (port: string) => {
    const startedAt = performance.now()
    const child = spawn(process.execPath, [gantry, ...flags, `--secure-port=${port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { url, kubeconfig } = await serving(child)
    return { child, url, kubeconfig, startMs: performance.now() - startedAt }
  }
  let running = await launch('0').catch((error) => {
    rmSync(directory, { recursive: true, force: true })
    throw error
  })
  const { url } = running
  // A copy: the server writes its own anew at each start, and a test may have set a context in this one.
  const kubeconfig = join(directory, 'kubeconfig')
  copyFileSync(running.kubeconfig, kubeconfig)
  return {
    ...cliFor(kubeconfig, { home: directory }),
    url,
    kubeconfig,
    directory,
    get pid() {
      return running.child.pid as number
    },
    get startMs() {
      return running.startMs
    },
    clients: (version) => cliFor(kubeconfig, { version, home: directory }),
    kill9: () => end(running.child, 'SIGKILL'),
    async restart() {
      await end(running.child, 'SIGTERM')
      running = await launch(new URL(url).port)
    },
    async stop() {
      await end(running.child, 'SIGTERM')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function serving(child: ChildProcess): Promise<{ url: string; kubeconfig: string }> {
  const said: string[] = []
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill('SIGKILL')
      reject(new Error(`the API server ${why}:\n${said.slice(-30).join('\n')}`))
    }
    const timer = setTimeout(() => fail(`is not ready after ${readyMs} ms`), readyMs)
    const note = (line: string) => {
      said.push(line)
      if (said.length > 100) said.shift()
    }
    createInterface({ input: child.stderr! }).on('line', note)
    createInterface({ input: child.stdout! }).on('line', (line) => {
      note(line)
      const entry = parseLine(line)
      if (entry?.msg !== 'serving') return
      clearTimeout(timer)
      resolve({ url: String(entry.url), kubeconfig: String(entry.kubeconfig) })
    })
    child.once('error', (error) => fail(`cannot be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      fail(`ended with ${code ?? signal}`)
    })
  })
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  let hangs = false
  const late = setTimeout(() => {
    hangs = true
    child.kill('SIGKILL')
  }, stopMs)
  await gone
  clearTimeout(late)
  if (hangs) throw new Error(`the API server was told to stop and still ran ${stopMs} ms later`)
}
