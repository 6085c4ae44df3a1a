import { type FSWatcher, watch } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface LogOptions {
  /** Goes on with what is written, until the container has ended. */
  follow?: boolean
  timestamps?: boolean
  tailLines?: number
  limitBytes?: number
  /** Lines from this time on, in milliseconds since 1970. */
  sinceMs?: number
  stream?: 'stdout' | 'stderr'
}

const chunkBytes = 64 * 1024
const newline = 10
const space = 32
/** The end of a container writes nothing into its log: it is looked for this often. */
const lookMs = 500

/**
 * The text of a container's log, out of the runtime's format. Following goes on in the new file after a rotation.
 * Throws an Error when there is no such file.
 */
export async function* readLog(
  path: string,
  options: LogOptions,
  isRunning: () => Promise<boolean>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const changes = options.follow ? new Changes(dirname(path)) : undefined
  const format = formatter(options)
  let left = options.limitBytes ?? Infinity
  let file = await openLog(path, options.follow ?? false, changes, isRunning, signal)
  if (!file) {
    changes?.close()
    return
  }
  try {
    const tail = options.tailLines === undefined ? undefined : await tailOf(file, options.tailLines)
    let offset = tail?.start ?? 0
    // What is written while the last lines are read is not among them.
    const until = tail && !options.follow ? tail.end : Infinity
    let rest = Buffer.alloc(0)
    for (;;) {
      // Asked before reading: what it wrote before it ended is then there to be read.
      const ended = options.follow ? !(await isRunning()) : true
      for (;;) {
        const buffer = Buffer.allocUnsafe(chunkBytes)
        const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, until - offset), offset)
        if (bytesRead === 0) break
        offset += bytesRead
        const text =
          rest.length > 0 ? Buffer.concat([rest, buffer.subarray(0, bytesRead)]) : buffer.subarray(0, bytesRead)
        const end = text.lastIndexOf(newline) + 1
        rest = Buffer.from(text.subarray(end))
        const out = format(text.subarray(0, end)).subarray(0, left)
        left -= out.length
        if (out.length > 0) yield out
        if (left <= 0 || signal.aborted) return
      }
      if (until === Infinity && (await isReplaced(file, path))) {
        await file.close()
        file = await open(path, 'r')
        offset = 0
        rest = Buffer.alloc(0)
        continue
      }
      if (ended) return
      await changes?.next(signal)
      if (signal.aborted) return
    }
  } finally {
    changes?.close()
    await file.close()
  }
}

/** A log that is followed may not be there yet. */
async function openLog(
  path: string,
  follow: boolean,
  changes: Changes | undefined,
  isRunning: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<FileHandle | undefined> {
  for (;;) {
    try {
      return await open(path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      if (!follow || signal.aborted || !(await isRunning())) return undefined
      await changes?.next(signal)
    }
  }
}

async function isReplaced(file: FileHandle, path: string): Promise<boolean> {
  try {
    return (await stat(path)).ino !== (await file.stat()).ino
  } catch {
    // Renamed, and the new one not yet there.
    return false
  }
}

/** Where the last lines begin, and where they end. */
async function tailOf(file: FileHandle, lines: number): Promise<{ start: number; end: number }> {
  const { size } = await file.stat()
  return { start: lines === 0 ? size : await startOfLast(file, lines, size), end: size }
}

async function startOfLast(file: FileHandle, lines: number, size: number): Promise<number> {
  const buffer = Buffer.allocUnsafe(chunkBytes)
  let missing = lines
  let end = size
  // A line that is being written counts.
  let first = true
  while (end > 0) {
    const start = Math.max(0, end - chunkBytes)
    const { bytesRead } = await file.read(buffer, 0, end - start, start)
    for (let i = bytesRead - 1; i >= 0; i--) {
      if (buffer[i] === newline && !(first && start + i === size - 1) && --missing === 0) return start + i + 1
    }
    first = false
    end = start
  }
  return 0
}

/** Turns whole lines of the format into what a client is to see. */
function formatter({ timestamps, sinceMs, stream }: LogOptions): (lines: Buffer) => Buffer {
  let startsLine = true
  return (lines) => {
    const out: Buffer[] = []
    let at = 0
    while (at < lines.length) {
      const end = lines.indexOf(newline, at)
      const timeEnd = lines.indexOf(space, at)
      const streamEnd = lines.indexOf(space, timeEnd + 1)
      const tagEnd = lines.indexOf(space, streamEnd + 1)
      const isWhole = timeEnd !== -1 && streamEnd !== -1 && tagEnd !== -1 && tagEnd < end + 1
      const lineStart = at
      at = end + 1
      // Something else wrote into the file: upstream's agent passes over it too.
      if (!isWhole) continue
      if (stream && lines.toString('latin1', timeEnd + 1, streamEnd) !== stream) continue
      if (sinceMs !== undefined && Date.parse(lines.toString('latin1', lineStart, timeEnd)) < sinceMs) continue
      // "F", or tags after it with colons between.
      const goesOn = lines[streamEnd + 1] === 80
      if (timestamps && startsLine) out.push(lines.subarray(lineStart, timeEnd + 1))
      out.push(lines.subarray(tagEnd + 1, goesOn ? end : end + 1))
      startsLine = !goesOn
    }
    return Buffer.concat(out)
  }
}

/** Tells when something in a directory changes. */
class Changes {
  readonly #watcher: FSWatcher
  #changed = false
  #wake: (() => void) | undefined

  constructor(directory: string) {
    this.#watcher = watch(directory, () => {
      this.#changed = true
      this.#wake?.()
    })
    // A directory that goes away is seen by the next look at the file.
    this.#watcher.on('error', () => this.#wake?.())
  }

  /** Resolves at the next change since the last call, or after a while. */
  async next(signal: AbortSignal): Promise<void> {
    if (!this.#changed && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, lookMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
        signal.addEventListener('abort', this.#wake, { once: true })
      })
      if (this.#wake) signal.removeEventListener('abort', this.#wake)
      this.#wake = undefined
    }
    this.#changed = false
  }

  close(): void {
    this.#watcher.close()
  }
}
