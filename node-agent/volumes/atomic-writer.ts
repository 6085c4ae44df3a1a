import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface PayloadFile {
  data: Uint8Array
  mode: number
  /** The file's owner, if not root. */
  uid?: number
}

/** Files by their path in the volume. */
export type Payload = ReadonlyMap<string, PayloadFile>

const dataLink = '..data'
const dataLinkTemporary = '..data_tmp'

/**
 * Makes the directory show exactly these files, all of them changing at one moment: they lie in a directory of their own,
 * to which `..data` points, and every visible name is a link through it. Resolves to whether anything changed.
 */
export async function writeAtomically(directory: string, payload: Payload, group?: number): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const before = await readlink(join(directory, dataLink)).catch(() => undefined)
  if (before !== undefined && (await holds(join(directory, before), payload))) {
    await link(directory, payload)
    return false
  }
  const stamp = await makeStamp(directory)
  await writeFiles(join(directory, stamp), payload, group)
  await rm(join(directory, dataLinkTemporary), { force: true })
  await symlink(stamp, join(directory, dataLinkTemporary))
  await rename(join(directory, dataLinkTemporary), join(directory, dataLink))
  await link(directory, payload)
  await removeStale(directory, stamp, payload)
  return true
}

async function makeStamp(directory: string): Promise<string> {
  const time = new Date().toISOString().slice(0, 19).replace(/[-T:]/g, '_')
  for (;;) {
    const name = `..${time}.${String(Math.floor(Math.random() * 1e9)).padStart(9, '0')}`
    try {
      await mkdir(join(directory, name), { mode: 0o755 })
      return name
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

async function writeFiles(directory: string, payload: Payload, group: number | undefined): Promise<void> {
  await chmod(directory, 0o755)
  if (group !== undefined) await chown(directory, -1, group).catch(() => undefined)
  for (const [path, { data, mode, uid }] of payload) {
    const file = join(directory, path)
    if (path.includes('/')) await mkdir(dirname(file), { recursive: true, mode: 0o755 })
    await writeFile(file, data, { mode })
    if (uid !== undefined || group !== undefined) await chown(file, uid ?? -1, group ?? -1)
    // Again: the process's mask, and a change of owner, take bits away. The pod's group may read what its owner may.
    await chmod(file, group === undefined ? mode : mode | 0o040)
  }
}

async function holds(directory: string, payload: Payload): Promise<boolean> {
  const found = await filesIn(directory)
  if (found.length !== payload.size) return false
  for (const path of found) {
    const wanted = payload.get(path)
    if (!wanted) return false
    const have = await readFile(join(directory, path)).catch(() => undefined)
    if (!have?.equals(wanted.data)) return false
  }
  return true
}

async function filesIn(directory: string, prefix = ''): Promise<string[]> {
  const entries = await readdir(join(directory, prefix), { withFileTypes: true }).catch(() => [])
  const lists = await Promise.all(
    entries.map((entry) =>
      entry.isDirectory() ? filesIn(directory, `${prefix}${entry.name}/`) : [`${prefix}${entry.name}`],
    ),
  )
  return lists.flat()
}

const topOf = (path: string): string => path.split('/')[0] as string

async function link(directory: string, payload: Payload): Promise<void> {
  for (const name of new Set([...payload.keys()].map(topOf))) {
    const visible = join(directory, name)
    const exists = await lstat(visible).then(
      () => true,
      () => false,
    )
    if (!exists) await symlink(join(dataLink, name), visible)
  }
}

async function removeStale(directory: string, stamp: string, payload: Payload): Promise<void> {
  const keep = new Set([dataLink, stamp, ...[...payload.keys()].map(topOf)])
  for (const name of await readdir(directory)) {
    if (!keep.has(name)) await rm(join(directory, name), { recursive: true, force: true })
  }
}
