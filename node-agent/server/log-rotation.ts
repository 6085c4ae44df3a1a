import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Logger } from '../../client/logger.ts'
import type { Cri } from '../runtime/cri.ts'

export interface LogRotationOptions {
  cri: Pick<Cri, 'listContainers' | 'containerStatus' | 'reopenContainerLog'>
  log: Logger
  /** Upstream's `containerLogMaxSize`, 10 Mi. */
  maxBytes?: number
  /** Upstream's `containerLogMaxFiles`, 5, the current one counted. */
  maxFiles?: number
}

/** Starts afresh the logs that have become too long. To be run every ten seconds, as upstream does. Resolves to how many. */
export async function rotateLogs({
  cri,
  log,
  maxBytes = 10 * 1024 * 1024,
  maxFiles = 5,
}: LogRotationOptions): Promise<number> {
  let rotated = 0
  for (const { id } of await cri.listContainers({ state: 'CONTAINER_RUNNING' })) {
    try {
      const { logPath } = (await cri.containerStatus(id)).status
      if (logPath === '' || (await sizeOf(logPath)) < maxBytes) continue
      await rotate(logPath, maxFiles, () => cri.reopenContainerLog(id))
      rotated++
    } catch (error) {
      // The container may have gone meanwhile; the next round sees.
      log.warn({ err: error, container: id }, "could not rotate a container's log")
    }
  }
  return rotated
}

/** The current file gets a name with the time; of those before it, all but the newest few go, and they are compressed. */
async function rotate(path: string, maxFiles: number, reopen: () => Promise<void>): Promise<void> {
  const directory = dirname(path)
  const prefix = `${basename(path)}.`
  const old = (await readdir(directory)).filter((name) => name.startsWith(prefix) && !name.endsWith('.tmp')).sort()
  // With the current one and the one that it becomes, two are spoken for.
  const kept = old.slice(Math.max(0, old.length - (maxFiles - 2)))
  for (const name of old) if (!kept.includes(name)) await rm(join(directory, name), { force: true })
  for (const name of kept) if (!name.endsWith('.gz')) await compress(join(directory, name))
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  const renamed = `${path}.${time}`
  await rename(path, renamed)
  try {
    await reopen()
  } catch (error) {
    // It goes on writing to the old file: that must be found under its name.
    await rename(renamed, path)
    throw error
  }
}

async function compress(path: string): Promise<void> {
  await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.tmp`))
  await rename(`${path}.tmp`, `${path}.gz`)
  await rm(path, { force: true })
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}
