import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The kernel takes 107 bytes; containerd adds ".ttrpc" to its own. */
const longestPath = 100

/** Where a socket of this data directory lies: in it, or, if that is too deep for a socket, at a short path derived from it. */
export function socketPath(dataDir: string, name: string): string {
  const path = join(dataDir, name)
  if (Buffer.byteLength(path) <= longestPath) return path
  const short = join(tmpdir(), `gantry-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`)
  mkdirSync(short, { recursive: true, mode: 0o700 })
  return join(short, name)
}
