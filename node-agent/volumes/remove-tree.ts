import { rename, rm, rmdir, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { OpenDirectory } from './open-directory.ts'

/** Deeper directories are first moved up: every level holds a file open, and a pod may have nested them without end. */
const maxDepth = 32

/**
 * Removes a directory and all in it, and nothing of what is mounted below it: then it throws, and the rest stays. What is
 * not there is removed already.
 */
export async function removeTree(path: string): Promise<void> {
  if (process.platform !== 'linux') return rm(path, { recursive: true, force: true })
  const parent = await OpenDirectory.at(dirname(path)).catch(ignoreMissing)
  if (!parent) return
  try {
    const root = await parent.enter(basename(path)).catch(ignoreMissing)
    if (!root) return
    try {
      const mountId = await root.mountId()
      if (mountId !== (await parent.mountId())) throw new Error(`${path} is a mount point: it is not removed`)
      await empty(root, { root, mountId, path, moved: 0 }, 0)
    } finally {
      await root.close()
    }
    await rmdir(parent.to(basename(path)))
  } finally {
    await parent.close()
  }
}

interface Removal {
  root: OpenDirectory
  mountId: string
  path: string
  moved: number
}

async function empty(directory: OpenDirectory, removal: Removal, depth: number): Promise<void> {
  // Again for what was moved up meanwhile.
  for (let entries = await directory.entries(); entries.length > 0; entries = await directory.entries()) {
    for (const { name, isDirectory } of entries) {
      if (!isDirectory) await unlink(directory.to(name))
      else if (depth >= maxDepth) await rename(directory.to(name), removal.root.to(`..moved-${removal.moved++}`))
      else await removeDirectory(directory, name, removal, depth + 1)
    }
  }
}

async function removeDirectory(parent: OpenDirectory, name: Buffer, removal: Removal, depth: number): Promise<void> {
  const directory = await parent.enter(name)
  try {
    if ((await directory.mountId()) !== removal.mountId) {
      throw new Error(`${name} below ${removal.path} is a mount point: what is mounted there is not removed`)
    }
    await empty(directory, removal, depth)
  } finally {
    await directory.close()
  }
  await rmdir(parent.to(name))
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
