import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, readlink } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Header, Pack } from 'tar-stream'
import { OpenDirectory } from '../open-directory.ts'

/** Below it in the archive lies what is in the volume. */
export const archiveRoot = 'data/'

/** Every level holds a file open. */
const maxDepth = 500
const chunkBytes = 256 * 1024
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

interface Walk {
  archive: Pack
  device: number
  /** By inode, the first name of a file with several. */
  names: Map<number, string>
  signal: AbortSignal
}

/**
 * Puts all that is in a directory into the archive, links as links: nothing that they lead to, and nothing that is mounted
 * below. Pods may be at work there meanwhile: a file that shrinks is filled up, one that is gone is left out. Sockets are left
 * out, as nothing would listen. Throws for a name that is no text, which the archive could not hold.
 */
export async function packTree(path: string, archive: Pack, signal: AbortSignal): Promise<void> {
  const root = await OpenDirectory.at(path)
  try {
    const { dev } = await root.handle.stat()
    await addDirectory(root, archiveRoot, { archive, device: dev, names: new Map(), signal }, 0)
  } finally {
    await root.close()
  }
  archive.finalize()
}

async function addDirectory(directory: OpenDirectory, name: string, walk: Walk, depth: number): Promise<void> {
  if (depth > maxDepth) throw new Error(`${name} lies deeper than ${maxDepth} directories`)
  await addEntry(walk, { ...headerOf(name, await directory.handle.stat()), type: 'directory' })
  const entries = await directory.entries()
  for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
    walk.signal.throwIfAborted()
    const own = `${name}${textOf(entry.name, name)}`
    await add(directory, entry.name, own, walk, depth).catch((error: NodeJS.ErrnoException) => {
      // Gone, or become something else, since it was listed.
      if (!['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(error.code ?? '')) throw error
    })
  }
}

async function add(directory: OpenDirectory, entry: Buffer, name: string, walk: Walk, depth: number): Promise<void> {
  const stat = await directory.stat(entry)
  if (stat.isDirectory()) {
    const inner = await directory.enter(entry)
    try {
      if ((await inner.handle.stat()).dev === walk.device) await addDirectory(inner, `${name}/`, walk, depth + 1)
    } finally {
      await inner.close()
    }
  } else if (stat.isSymbolicLink()) {
    await addEntry(walk, { ...headerOf(name, stat), type: 'symlink', linkname: await readlink(directory.to(entry)) })
  } else if (stat.isFile()) {
    await addFile(directory, entry, name, walk)
  } else if (stat.isFIFO()) {
    await addEntry(walk, { ...headerOf(name, stat), type: 'fifo' })
  } else if (stat.isBlockDevice() || stat.isCharacterDevice()) {
    const type = stat.isBlockDevice() ? 'block-device' : 'character-device'
    await addEntry(walk, { ...headerOf(name, stat), type, ...deviceOf(stat) })
  }
}

async function addFile(directory: OpenDirectory, entry: Buffer, name: string, walk: Walk): Promise<void> {
  const file = await open(directory.to(entry), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) return
    const first = stat.nlink > 1 ? walk.names.get(stat.ino) : undefined
    if (first !== undefined) return await addEntry(walk, { ...headerOf(name, stat), type: 'link', linkname: first })
    if (stat.nlink > 1) walk.names.set(stat.ino, name)
    await pipeline(
      piecesOf(file, stat.size, walk.signal),
      walk.archive.entry({ ...headerOf(name, stat), size: stat.size }),
    )
  } finally {
    await file.close()
  }
}

/** As many bytes as the archive was told of. */
async function* piecesOf(file: FileHandle, bytes: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes; ) {
    signal.throwIfAborted()
    const chunk = Buffer.alloc(Math.min(chunkBytes, bytes - at))
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at)
    // Zeros where it was longer a moment ago.
    const piece = bytesRead > 0 ? chunk.subarray(0, bytesRead) : chunk
    yield piece
    at += piece.length
  }
}

const addEntry = ({ archive }: Walk, header: Partial<Header> & { name: string }): Promise<void> =>
  new Promise((resolve, reject) => {
    archive.entry({ ...header, size: 0 }, (error) => (error ? reject(error) : resolve()))
  })

const headerOf = (name: string, { mode, uid, gid, mtime }: Stats) => ({
  name,
  mode: mode & 0o7777,
  uid,
  gid,
  mtime,
})

/** As Linux puts both numbers together. */
const deviceOf = ({ rdev }: Stats) => ({
  devmajor: (rdev >> 8) & 0xfff,
  devminor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00),
})

function textOf(name: Buffer, where: string): string {
  const text = name.toString()
  if (Buffer.from(text).equals(name)) return text
  throw new Error(`a name in ${where} is no text in UTF-8: ${JSON.stringify(name.toString('latin1'))}`)
}
