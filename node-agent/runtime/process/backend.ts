import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect as connectTo, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { maxTimerMs } from '../../../api/machinery/timers.ts'
import { CriError } from '../cri.ts'
import { Addresses } from '../local/addresses.ts'
import type { Backend, End, Streams } from '../local/backend.ts'
import type { ContainerRecord } from '../local/records.ts'
import { isAlive, startTicks } from '../processes.ts'
import { type HostCommand, hostCommand } from './command.ts'
import { DirectoryImages } from './images.ts'
import { type LogPump, pumpLogs } from './log-pump.ts'
import { makeRoot } from './root.ts'
import { processStats } from './stats.ts'
import { withTerminal } from './terminal.ts'

const defaultRange = '127.244.0.0/24'
const killedCode = 137
const lookMs = 200
const longestOutputBytes = 16 * 1024 * 1024

/**
 * The shell that starts a container and waits for it, to say how it ended even when no agent runs any more. Signals that
 * ask to end go to the whole group: the shell hears them, and waits on. It prints nothing of its own.
 */
const guardian = [
  'exec 3>&2 2>/dev/null',
  'end=$1; shift',
  'trap : TERM INT HUP QUIT USR1 USR2 ALRM',
  '"$@" 2>&3 3>&-',
  'code=$?',
  'echo $code > "$end"',
  'exit $code',
].join('\n')

interface Running {
  pid: number
  ticks: string
  pump: LogPump
  child?: ChildProcess
  watch?: NodeJS.Timeout
  kill?: NodeJS.Timeout
}

/** Containers as processes of this machine. */
export function processBackend(dataDir: string): Backend {
  const addresses = new Addresses(defaultRange)
  const images = new DirectoryImages(join(dataDir, 'images'))
  const running = new Map<string, Running>()
  const ips = new Map<string, string>()
  const directoryOf = (id: string) => join(dataDir, 'run', id)
  const endPath = (id: string) => join(directoryOf(id), 'end')

  const commandOf = ({ id, config, imageId }: ContainerRecord, command?: readonly string[]): HostCommand =>
    hostCommand(
      {
        config,
        image: images.unpacked(imageId)?.config,
        root: join(directoryOf(id), 'root'),
        podIp: ips.get(id) ?? '',
      },
      command,
    )
  const finish = (id: string, ended: (end: End) => void) => {
    const found = running.get(id)
    if (!found) return
    running.delete(id)
    clearInterval(found.watch)
    clearTimeout(found.kill)
    // What the command left behind goes with it, as with a container's own process namespace.
    signalGroup(found.pid, 'SIGKILL')
    found.pump.finish()
    const code = existsSync(endPath(id)) ? readFileSync(endPath(id), 'latin1').trim() : ''
    ended({ exitCode: code === '' ? killedCode : Number(code) })
  }

  return {
    name: 'gantry-process',
    version: '1.0.0',
    images,
    async start(container, sandbox, ended) {
      const { id, config, logPath } = container
      const directory = directoryOf(id)
      const image = images.unpacked(container.imageId)
      mkdirSync(directory, { recursive: true })
      makeRoot(join(directory, 'root'), image ? images.rootOf(image) : undefined, config.mounts)
      ips.set(id, sandbox.ip)
      const command = commandOf(container)
      mkdirSync(command.cwd, { recursive: true })
      const { file, args } = config.tty ? withTerminal(command) : command
      const stdout = openSync(join(directory, 'stdout'), 'a')
      const stderr = openSync(join(directory, 'stderr'), 'a')
      const child = spawn('/bin/sh', ['-c', guardian, 'container', endPath(id), file, ...args], {
        cwd: command.cwd,
        env: command.env,
        detached: true,
        stdio: [config.stdin ? 'pipe' : 'ignore', stdout, stderr],
      })
      closeSync(stdout)
      closeSync(stderr)
      const { pid } = child
      if (pid === undefined) {
        throw await new Promise<Error>((resolve) => child.once('error', resolve))
      }
      child.unref()
      const ticks = startTicks(pid) ?? ''
      running.set(id, { pid, ticks, child, pump: pumpLogs(directory, logPath) })
      child.once('exit', () => finish(id, ended))
      return { pid, ticks }
    },
    adopt(container, sandbox, ended) {
      const { id, pid = 0, ticks = '', logPath } = container
      ips.set(id, sandbox.ip)
      const watch = setInterval(() => {
        if (!isAlive(pid, ticks)) finish(id, ended)
      }, lookMs).unref()
      running.set(id, { pid, ticks, watch, pump: pumpLogs(directoryOf(id), logPath) })
      if (!isAlive(pid, ticks)) finish(id, ended)
    },
    stop({ id }, timeoutSeconds, signal) {
      const found = running.get(id)
      if (!found) return
      if (timeoutSeconds > 0) signalGroup(found.pid, signal)
      clearTimeout(found.kill)
      const waitMs = Math.min(timeoutSeconds * 1000, maxTimerMs)
      found.kill = setTimeout(() => signalGroup(found.pid, 'SIGKILL'), waitMs)
    },
    async removeContainer({ id }) {
      ips.delete(id)
      rmSync(directoryOf(id), { recursive: true, force: true })
    },
    async removeSandbox() {},
    async reopenLog({ id }) {
      running.get(id)?.pump.reopen()
    },
    async execSync(container, command, timeoutSeconds) {
      const out: Buffer[] = []
      const err: Buffer[] = []
      const child = launch(commandOf(container, command), 'ignore')
      collect(child.stdout!, out)
      collect(child.stderr!, err)
      let late = false
      const timer =
        timeoutSeconds > 0
          ? setTimeout(() => {
              late = true
              signalGroup(child.pid!, 'SIGKILL')
            }, timeoutSeconds * 1000)
          : undefined
      const exitCode = await exitOf(child)
      clearTimeout(timer)
      if (late) {
        const words = `failed to exec in container: timeout ${timeoutSeconds}s exceeded: context deadline exceeded`
        throw new CriError('ExecSync', 'deadlineExceeded', words)
      }
      return { stdout: Buffer.concat(out), stderr: Buffer.concat(err), exitCode }
    },
    async exec(container, command, streams) {
      const resolved = commandOf(container, command)
      const child = launch(streams.tty ? withTerminal(resolved) : resolved, streams.stdin ? 'pipe' : 'ignore')
      streams.signal.addEventListener('abort', () => signalGroup(child.pid!, 'SIGKILL'), { once: true })
      joinStreams(child, streams)
      return exitOf(child)
    },
    async attach({ id, config }, streams) {
      const found = running.get(id)
      if (!found) return
      const stdin = found.child?.stdin
      if (streams.stdin && stdin) streams.stdin.pipe(stdin, { end: config.stdinOnce ?? false })
      const forget = found.pump.onOutput((stream, chunk) => {
        const target: Writable | undefined = stream === 'stdout' ? streams.stdout : streams.stderr
        target?.write(chunk)
      })
      await new Promise<void>((resolve) => {
        streams.signal.addEventListener('abort', () => resolve(), { once: true })
        const look = setInterval(() => {
          if (running.has(id)) return
          clearInterval(look)
          resolve()
        }, lookMs)
        streams.signal.addEventListener('abort', () => clearInterval(look), { once: true })
      })
      forget()
    },
    async connect({ ip }, port) {
      // A program that knows nothing of its pod's address listens on the machine's own.
      const hosts = ip === '' ? ['127.0.0.1'] : [ip, '127.0.0.1']
      let failure: Error | undefined
      for (const host of hosts) {
        try {
          return await dial(host, port)
        } catch (error) {
          failure ??= error as Error
        }
      }
      throw failure ?? new Error('no address to connect to')
    },
    stats: async ({ pid = 0 }) => processStats(pid),
    setPodRange: (cidr) => addresses.setRange(cidr),
    allocateIp: (taken) => addresses.take(taken),
    close() {
      for (const { pump, watch, kill, child } of running.values()) {
        pump.close()
        clearInterval(watch)
        clearTimeout(kill)
        child?.removeAllListeners('exit')
      }
      running.clear()
    },
  }
}

function launch(command: Pick<HostCommand, 'file' | 'args' | 'env' | 'cwd'>, stdin: 'pipe' | 'ignore'): ChildProcess {
  return spawn(command.file, command.args, {
    cwd: existsSync(command.cwd) ? command.cwd : '/',
    env: command.env,
    detached: true,
    stdio: [stdin, 'pipe', 'pipe'],
  })
}

function joinStreams(child: ChildProcess, { stdin, stdout, stderr, tty }: Streams): void {
  if (stdin && child.stdin) {
    stdin.pipe(child.stdin)
    // A command may end without having read everything.
    child.stdin.on('error', () => {})
  }
  if (stdout) child.stdout?.pipe(stdout, { end: false })
  const errors = tty ? stdout : stderr
  if (errors) child.stderr?.pipe(errors, { end: false })
  child.stdout?.resume()
  child.stderr?.resume()
}

function collect(stream: NodeJS.ReadableStream, chunks: Buffer[]): void {
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    if (size < longestOutputBytes) chunks.push(chunk)
    size += chunk.length
  })
}

const exitOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGTERM' ? 143 : killedCode)))
  })

function signalGroup(pid: number, signal: string): void {
  if (pid <= 1) return
  try {
    process.kill(-pid, signal as NodeJS.Signals)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const dial = (host: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connectTo({ host, port })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
