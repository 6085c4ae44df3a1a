import { constants } from 'node:fs'
import { chmod, lchown, link, lutimes, open, symlink, utimes } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { extract, type Header } from 'tar-stream'
import { command } from '../mounting.ts'
import { OpenDirectory } from '../open-directory.ts'
import { archiveRoot } from './pack.ts'

/** What was put back. */
export interface Unpacked {
  entries: number
  bytes: number
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/**
 * Puts what an archive holds of a volume into a directory. Every name is reached through open directories and through no link,
 * so that an archive of somebody's making leads nowhere else; nothing that is there already is written over.
 */
export async function unpackTree(path: string, source: Readable): Promise<Unpacked> {
  const root = await OpenDirectory.at(path)
  const total: Unpacked = { entries: 0, bytes: 0 }
  /** Directories get their times when nothing is put into them any more. */
  const directories: Header[] = []
  const archive = extract()
  source.once('error', (error) => archive.destroy(error))
  source.pipe(archive)
  try {
    for await (const entry of archive) {
      const { header } = entry
      const names = namesOf(header.name)
      if (names) {
        await put(root, names, header, entry)
        if (header.type === 'directory') directories.push(header)
        total.entries++
        total.bytes += header.size ?? 0
      }
      entry.resume()
    }
    for (const header of directories.reverse()) {
      const directory = await descend(root, namesOf(header.name) ?? [])
      const { mtime = new Date() } = header
      await utimes(directory.path, mtime, mtime).finally(() => leave(directory, root))
    }
  } finally {
    await root.close()
  }
  return total
}

/** The parts of an entry's name below the volume; undefined: it is not of the volume. Throws for a name that leads elsewhere. */
function namesOf(name: string): string[] | undefined {
  if (!name.startsWith(archiveRoot)) return undefined
  const names = name
    .slice(archiveRoot.length)
    .split('/')
    .filter((part) => part !== '')
  if (names.some((part) => part === '.' || part === '..')) {
    throw new Error(`${JSON.stringify(name)} leads out of the volume`)
  }
  return names
}

async function put(
  root: OpenDirectory,
  names: readonly string[],
  header: Header,
  content: AsyncIterable<unknown>,
): Promise<void> {
  const { type, mode = 0o644 } = header
  if (type === 'directory') {
    const directory = await descend(root, names)
    try {
      await own(directory.path, header)
      await chmod(directory.path, mode)
    } finally {
      await leave(directory, root)
    }
    return
  }
  const name = names.at(-1)
  if (name === undefined) throw new Error('the volume itself is no directory in the archive')
  const parent = await descend(root, names.slice(0, -1))
  try {
    await putInto(parent, name, header, content, root)
  } finally {
    await leave(parent, root)
  }
}

async function putInto(
  parent: OpenDirectory,
  name: string,
  header: Header,
  content: AsyncIterable<unknown>,
  root: OpenDirectory,
): Promise<void> {
  const { type, linkname, mode = 0o644, mtime = new Date(), devmajor = 0, devminor = 0 } = header
  const path = parent.to(name).toString()
  switch (type) {
    case 'file':
    case 'contiguous-file':
      return putFile(parent, name, header, content)
    case 'link': {
      const first = namesOf(linkname ?? '') ?? []
      const directory = await descend(root, first.slice(0, -1))
      await link(directory.to(first.at(-1) ?? ''), path).finally(() => leave(directory, root))
      return
    }
    case 'symlink':
      await symlink(linkname ?? '', path)
      await own(path, header)
      return lutimes(path, mtime, mtime)
    case 'fifo':
      await command('mkfifo', [path])
      break
    case 'character-device':
    case 'block-device':
      await command('mknod', [path, type === 'block-device' ? 'b' : 'c', String(devmajor), String(devminor)])
      break
    default:
      throw new Error(`${JSON.stringify(header.name)} is a ${type}, which cannot be put back`)
  }
  await own(path, header)
  await chmod(path, mode)
}

async function putFile(
  parent: OpenDirectory,
  name: string,
  header: Header,
  content: AsyncIterable<unknown>,
): Promise<void> {
  const { mode = 0o644, mtime = new Date(), uid = 0, gid = 0 } = header
  const file = await open(parent.to(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) await file.writeFile(chunk)
    if (process.getuid?.() === 0) await file.chown(uid, gid)
    await file.chmod(mode)
    await file.utimes(mtime, mtime)
  } finally {
    await file.close()
  }
}

/** Who is not root can give files to nobody else. */
const own = async (path: string, { uid = 0, gid = 0 }: Header): Promise<void> => {
  if (process.getuid?.() === 0) await lchown(path, uid, gid)
}

/** Goes down from the root, making what is missing. The caller leaves again. */
async function descend(root: OpenDirectory, names: readonly string[]): Promise<OpenDirectory> {
  let at = root
  for (const name of names) {
    const { directory } = await at.make(name, 0o755).finally(() => leave(at, root))
    at = directory
  }
  return at
}

const leave = async (directory: OpenDirectory, root: OpenDirectory): Promise<void> => {
  if (directory !== root) await directory.close()
}
