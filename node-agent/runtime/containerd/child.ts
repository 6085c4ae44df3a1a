import { execFile, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Logger } from '../../../client/logger.ts'
import { isAlive, startTicks } from '../processes.ts'
import { configVersion, containerdConfig } from './config.ts'

export interface ContainerdChild {
  /** Ends containerd and waits until it is gone; containers live on. */
  stop(): Promise<void>
}

interface ChildOptions {
  dataDir: string
  socket: string
  sandboxImage: string
  cniConfDir: string
  cniBinDir: string
  signal: AbortSignal
  log: Logger
}

const firstBackoffMs = 100
const longestBackoffMs = 10_000
/** One that lived this long has not died of what the last one died of. */
const healthyMs = 60_000
const lookMs = 500
const stopTimeoutMs = 10_000

/**
 * Runs a private containerd that outlives this process: in a session of its own, found again by its pid file, started
 * again with back-off when it dies. Throws an Error when there is no containerd to run.
 */
export async function startContainerd(options: ChildOptions): Promise<ContainerdChild> {
  const { dataDir, log, signal } = options
  mkdirSync(dataDir, { recursive: true })
  mkdirSync(options.cniConfDir, { recursive: true })
  const configPath = join(dataDir, 'containerd.toml')
  const pidPath = join(dataDir, 'containerd.pid')
  const version = configVersion(await printedVersion())

  let stopping = false
  let running: { pid: number; ticks: string; gone?: Promise<void> } | undefined = adopt(pidPath)
  if (running) log.info({ pid: running.pid }, 'took over the containerd that still runs')

  const start = () => {
    writeFileSync(configPath, containerdConfig({ version, ...options }))
    const output = openSync(join(dataDir, 'containerd.log'), 'a')
    const child = spawn('containerd', ['--config', configPath], {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: dataDir,
    })
    closeSync(output)
    child.unref()
    if (child.pid === undefined) throw new Error('containerd did not start')
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    running = { pid: child.pid, ticks: startTicks(child.pid) ?? '', gone }
    writeFileSync(pidPath, `${running.pid} ${running.ticks}\n`)
    log.info({ pid: running.pid }, 'started containerd')
  }
  if (!running) start()

  let wake: (() => void) | undefined
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const watch = async () => {
    let backoffMs = firstBackoffMs
    while (!stopping && !signal.aborted) {
      const current = running!
      const since = Date.now()
      while (!stopping && !signal.aborted && isAlive(current.pid, current.ticks)) {
        await Promise.race([pause(lookMs), ...(current.gone ? [current.gone] : [])])
      }
      if (stopping || signal.aborted) return
      if (Date.now() - since > healthyMs) backoffMs = firstBackoffMs
      log.warn({ pid: current.pid, backoffMs }, 'containerd died; starting it again')
      await pause(backoffMs)
      backoffMs = Math.min(backoffMs * 2, longestBackoffMs)
      if (!stopping && !signal.aborted) start()
    }
  }
  const watching = watch()
  watching.catch((error: unknown) => log.error({ err: error }, 'containerd is no longer watched over'))

  return {
    async stop() {
      stopping = true
      wake?.()
      await watching.catch(() => {})
      const { pid, ticks } = running!
      if (isAlive(pid, ticks)) process.kill(pid, 'SIGTERM')
      const deadline = Date.now() + stopTimeoutMs
      while (isAlive(pid, ticks)) {
        if (Date.now() > deadline) process.kill(pid, 'SIGKILL')
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      rmSync(pidPath, { force: true })
    },
  }
}

async function printedVersion(): Promise<string> {
  try {
    return (await promisify(execFile)('containerd', ['--version'])).stdout
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Error('there is no containerd on this machine: install it, or run with --runtime process')
    }
    throw error
  }
}

function adopt(pidPath: string): { pid: number; ticks: string } | undefined {
  let text: string
  try {
    text = readFileSync(pidPath, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const [pid = '', ticks = ''] = text.trim().split(' ')
  return isAlive(Number(pid), ticks) ? { pid: Number(pid), ticks } : undefined
}
