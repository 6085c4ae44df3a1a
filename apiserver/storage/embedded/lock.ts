import { mkdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { StoreUnusable } from '../store.ts'

interface Holder {
  pid: number
  /** When the process started, in the kernel's ticks: a number reused by another process does not match. */
  started: string
  boot: string
}

export interface Lock {
  release(): Promise<void>
}

/**
 * Takes the data directory for this process, or throws {@link StoreUnusable} 'locked' naming the holder. The lock dies
 * with its process, however that ends. Two guards, as Node has no flock: an abstract socket named after the directory,
 * which the kernel gives to one process of a network namespace and takes back at its end, and a file that names the
 * holder, which also tells processes of other network namespaces.
 */
export async function lockDirectory(directory: string): Promise<Lock> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, 'lock')
  const socket = await bindName(directory, path)
  try {
    const holder = readHolder(path)
    if (holder && isAlive(holder)) throw locked(directory, holder)
    const staged = `${path}.${process.pid}`
    writeFileSync(staged, JSON.stringify(describe(process.pid)), { mode: 0o600 })
    renameSync(staged, path)
  } catch (error) {
    socket?.close()
    throw error
  }
  return {
    async release() {
      unlinkSync(path)
      if (socket) await new Promise((resolve) => socket.close(resolve))
    },
  }
}

/** Only Linux has abstract sockets; elsewhere the file alone guards. */
async function bindName(directory: string, path: string): Promise<Server | undefined> {
  if (process.platform !== 'linux') return undefined
  const { dev, ino } = statSync(directory)
  const server = createServer((connection) => connection.destroy())
  server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? locked(directory, readHolder(path)) : error),
    )
    server.listen(`\0gantry-store-${dev}-${ino}`, resolve)
  })
  return server
}

function locked(directory: string, holder: Holder | undefined): StoreUnusable {
  const who = holder ? `process ${holder.pid}` : 'another process'
  return new StoreUnusable(
    'locked',
    `${directory} is in use by ${who}: stop it first, or choose another data directory`,
  )
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder
  } catch {
    // No file, or one cut off by a crash while it was written: nobody holds it.
    return undefined
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = describe(holder.pid)
  return now.started === holder.started && now.boot === holder.boot
}

function describe(pid: number): Holder {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold anything; field 22 of the line is the twentieth after it.
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    return { pid, started, boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() }
  } catch {
    return { pid, started: '', boot: '' }
  }
}
