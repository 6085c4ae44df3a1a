import { statfs } from 'node:fs/promises'
import type { Clock } from '../../client/types.ts'
import { OpenDirectory } from './open-directory.ts'

/** How full a volume is, as far as that is known; a `VolumeStats` of upstream's. */
export interface VolumeUsage {
  /** When it was measured, in milliseconds since 1970. */
  timeMs: number
  usedBytes?: number
  capacityBytes?: number
  availableBytes?: number
  inodes?: number
  inodesFree?: number
  inodesUsed?: number
  /** What a driver says of the volume's health. */
  abnormal?: boolean
}

/** Of a volume that is a file system of its own. */
export async function fileSystemUsage(path: string): Promise<VolumeUsage> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path)
  return {
    timeMs: Date.now(),
    usedBytes: (blocks - bfree) * bsize,
    capacityBytes: blocks * bsize,
    availableBytes: bavail * bsize,
    inodes: files,
    inodesFree: ffree,
    inodesUsed: files - ffree,
  }
}

/** Of a volume that is a part of another file system: what lies in it is counted, the room is the file system's. */
export async function walkedUsage(path: string): Promise<VolumeUsage> {
  const [whole, own] = await Promise.all([fileSystemUsage(path), treeUsage(path)])
  return { ...whole, ...own, timeMs: Date.now() }
}

/** What the files below a directory take of the disk; what is mounted there is not counted, nor what links lead to. */
export async function treeUsage(path: string): Promise<{ usedBytes: number; inodesUsed: number }> {
  const total = { usedBytes: 0, inodesUsed: 0 }
  const root = await OpenDirectory.at(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (!root) return total
  const { dev } = await root.handle.stat()
  await addTree(root, { dev, total, seen: new Set(), depth: 0 }).finally(() => root.close())
  return total
}

interface Walk {
  dev: number
  total: { usedBytes: number; inodesUsed: number }
  /** Files with several names count once. */
  seen: Set<number>
  depth: number
}

const blockBytes = 512
/** Every level holds a file open; what lies deeper goes uncounted. */
const maxDepth = 500

async function addTree(directory: OpenDirectory, walk: Walk): Promise<void> {
  const { total, seen, dev, depth } = walk
  const own = await directory.handle.stat()
  total.usedBytes += own.blocks * blockBytes
  total.inodesUsed++
  for (const { name, isDirectory } of await directory.entries()) {
    try {
      if (isDirectory) {
        if (depth >= maxDepth) continue
        const inner = await directory.enter(name)
        try {
          if ((await inner.handle.stat()).dev === dev) await addTree(inner, { ...walk, depth: depth + 1 })
        } finally {
          await inner.close()
        }
        continue
      }
      const { blocks, ino, nlink } = await directory.stat(name)
      if (nlink > 1 && seen.has(ino)) continue
      if (nlink > 1) seen.add(ino)
      total.usedBytes += blocks * blockBytes
      total.inodesUsed++
    } catch (error) {
      // The pod is at work there: what has gone, or become something else, since it was listed is not there any more.
      if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

const freshMs = 10_000
/** A measurement may take this share of the time: a large volume is measured less often. */
const share = 0.02
const patienceMs = 2000

/** Measures on demand, not more often than it is worth, and never lets anybody wait for long: then the last answer counts. */
export class Gauge {
  readonly #measure: () => Promise<VolumeUsage | undefined>
  readonly #clock: Clock
  #last: { usage: VolumeUsage | undefined; goodUntil: number } | undefined
  #running: Promise<void> | undefined

  constructor(measure: () => Promise<VolumeUsage | undefined>, clock: Clock) {
    this.#measure = measure
    this.#clock = clock
  }

  async read(): Promise<VolumeUsage | undefined> {
    const now = this.#clock.now()
    if (this.#last && now < this.#last.goodUntil) return this.#last.usage
    this.#running ??= this.#run(now).finally(() => {
      this.#running = undefined
    })
    const over = new AbortController()
    const tooLong = this.#clock.sleep(patienceMs, over.signal).catch(() => undefined)
    await Promise.race([this.#running, tooLong]).finally(() => over.abort())
    return this.#last?.usage
  }

  async #run(startedAt: number): Promise<void> {
    // Without an answer the volume is shown without numbers; who reads them sees that they are missing.
    const usage = await this.#measure().catch(() => undefined)
    const now = this.#clock.now()
    this.#last = { usage, goodUntil: now + Math.max(freshMs, (now - startedAt) / share) }
  }
}
