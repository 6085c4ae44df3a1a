import { spawn } from 'node:child_process'
import { closeSync, existsSync, type FSWatcher, openSync, readFileSync, readSync, watch, writeSync } from 'node:fs'
import { join } from 'node:path'
import { CriLogWriter } from './log-writer.ts'

/**
 * Carries what a container writes from the files it writes to into its log. The files are the process's own, so that it
 * can go on writing while no agent runs; how far they were carried is kept beside them.
 */
export interface LogPump {
  reopen(): void
  /** Hears each piece, as it comes, of a container that is attached to. */
  onOutput(listener: (stream: 'stdout' | 'stderr', chunk: Buffer) => void): () => void
  /** Carries what is left and stops. */
  finish(): void
  /** Stops at once. */
  close(): void
}

const chunkBytes = 64 * 1024
/** What has been carried is given back to the disk in pieces of this size. */
const freeBytes = 8 * 1024 * 1024

export function pumpLogs(directory: string, logPath: string): LogPump {
  const writer = new CriLogWriter(logPath)
  const listeners = new Set<(stream: 'stdout' | 'stderr', chunk: Buffer) => void>()
  const sources = (['stdout', 'stderr'] as const).map((stream) => source(directory, stream))
  const buffer = Buffer.allocUnsafe(chunkBytes)
  const carry = () => {
    for (const from of sources) {
      for (;;) {
        const count = readSync(from.file, buffer, 0, chunkBytes, from.offset)
        if (count === 0) break
        const chunk = Buffer.from(buffer.subarray(0, count))
        writer.write(from.stream, chunk)
        for (const listener of listeners) listener(from.stream, chunk)
        from.advance(count)
      }
    }
  }
  let watcher: FSWatcher | undefined = watch(directory, { persistent: false }, () => {
    if (watcher) carry()
  })
  carry()
  const close = () => {
    if (!watcher) return
    watcher.close()
    watcher = undefined
    writer.close()
    for (const from of sources) from.close()
  }
  return {
    reopen: () => writer.reopen(),
    onOutput(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    finish() {
      if (!watcher) return
      carry()
      writer.endLines()
      close()
    },
    close,
  }
}

function source(directory: string, stream: 'stdout' | 'stderr') {
  const path = join(directory, stream)
  const offsetPath = join(directory, `${stream}.carried`)
  const file = openSync(path, 'r')
  const offsetFile = openSync(offsetPath, existsSync(offsetPath) ? 'r+' : 'w+')
  let offset = Number(readFileSync(offsetPath, 'latin1').trim() || '0')
  let freed = offset - (offset % freeBytes)
  return {
    stream,
    file,
    get offset() {
      return offset
    },
    advance(count: number) {
      offset += count
      // Written over in place, always as long: a crash leaves either the old or the new.
      writeSync(offsetFile, offset.toString().padEnd(20), 0, 'latin1')
      if (offset - freed < freeBytes) return
      const length = offset - freed - (offset % 4096)
      // A hole keeps the file's positions while the disk gets its blocks back. Where it cannot be made, the file grows.
      spawn('fallocate', ['-p', '-o', String(freed), '-l', String(length), path], { stdio: 'ignore' }).once(
        'error',
        () => {},
      )
      freed += length
    },
    close() {
      closeSync(file)
      closeSync(offsetFile)
    },
  }
}
