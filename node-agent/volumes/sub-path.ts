import type { Stats } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { isMountPoint } from './mount-points.ts'
import { bind, unmountAll } from './mounting.ts'
import { OpenDirectory } from './open-directory.ts'

/**
 * Makes a part of a volume ready to be mounted into a container, and answers its path. A container that writes to the
 * volume can put links into it at any moment, so the part is bound to `target`, which containers cannot reach, through a
 * file that is held open; without `mayMount` its real path is answered, checked but not held.
 */
export async function prepareSubPath(
  volume: string,
  subPath: string,
  { target, mayMount }: { target: string; mayMount: boolean },
): Promise<string> {
  const { held, path } = await holdSubPath(volume, subPath)
  try {
    if (!mayMount) return path
    await bindHeld(held, target)
    return target
  } finally {
    await held.close()
  }
}

/** Holds open what lies at `subPath`, so that it stays this whatever happens in the volume. The caller closes it. */
export async function holdSubPath(volume: string, subPath: string): Promise<{ held: FileHandle; path: string }> {
  const root = await realpath(volume)
  // Links that stay inside are a volume's own way to change all at once: they are resolved, and not followed any more.
  const path = await realpath(join(root, subPath))
  if (path !== root && !path.startsWith(`${root}/`)) throw new Error(`${subPath} leads out of the volume`)
  return { held: await standBeneath(root, relative(root, path)), path }
}

/** The text of a file in a volume, and of no other file. */
export async function readSubPath(volume: string, subPath: string): Promise<string> {
  const { held } = await holdSubPath(volume, subPath)
  try {
    if (!(await held.stat()).isFile()) throw new Error(`${subPath} is not a file`)
    return await readFile(`/proc/self/fd/${held.fd}`, 'utf8')
  } finally {
    await held.close()
  }
}

/**
 * Makes the directories of `subPath` that are not there, with the mode of the volume's root: whoever may write there may
 * write here. Throws where a link leads out of the volume.
 */
export async function makeSubPath(volume: string, subPath: string): Promise<void> {
  const root = await realpath(volume)
  const { mode, gid } = await stat(root)
  const wanted = partsOf(subPath)
  const existing = await existingPrefix(root, wanted)
  if (existing.path !== root && !existing.path.startsWith(`${root}/`)) {
    throw new Error(`${subPath} leads out of the volume`)
  }
  let directory = await enterBeneath(root, partsOf(relative(root, existing.path)))
  try {
    for (const name of wanted.slice(existing.count)) {
      const next = await directory.make(name, mode & 0o777)
      await directory.close()
      directory = next.directory
      if (!next.made) continue
      await directory.handle.chown((await directory.handle.stat()).uid, gid)
      // Again: the process's mask has taken bits away.
      await directory.handle.chmod(mode & 0o2777)
    }
  } finally {
    await directory.close()
  }
}

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.')

/** How much of the path is there, links resolved. */
async function existingPrefix(root: string, parts: readonly string[]): Promise<{ path: string; count: number }> {
  let path = root
  for (const [count, part] of parts.entries()) {
    const next = await realpath(join(path, part)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    if (next === undefined) return { path, count }
    path = next
  }
  return { path, count: parts.length }
}

/** Goes down name by name, through no link. */
async function enterBeneath(root: string, parts: readonly string[]): Promise<OpenDirectory> {
  let directory = await OpenDirectory.at(root)
  for (const part of parts) {
    const next = await directory.enter(part).finally(() => directory.close())
    directory = next
  }
  return directory
}

async function standBeneath(root: string, path: string): Promise<FileHandle> {
  const parts = partsOf(path)
  const last = parts.pop() ?? '.'
  const directory = await enterBeneath(root, parts)
  const held = await directory.stand(last).finally(() => directory.close())
  if (!(await held.stat()).isSymbolicLink()) return held
  await held.close()
  throw new Error(`${path} has become a symbolic link`)
}

/** Binds what is held open to the target; a container that starts again finds the same there, or gets it anew. */
async function bindHeld(held: FileHandle, target: string): Promise<void> {
  const wanted = await held.stat()
  if (await isMountPoint(target)) {
    if (isSame(wanted, await stat(target))) return
    await unmountAll(target)
  }
  await mkdir(dirname(target), { recursive: true, mode: 0o750 })
  if (wanted.isDirectory()) await mkdir(target, { recursive: true, mode: 0o750 })
  else await (await open(target, 'a', 0o640)).close()
  await bind(target, `/proc/${process.pid}/fd/${held.fd}`)
}

const isSame = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino
