import { readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** All paths on which a file system is mounted, as this process sees them, in the order they were mounted. */
export async function mountPoints(): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const path = line.split(' ')[4]
    // The kernel writes blanks and the like as octal numbers.
    return path === undefined
      ? []
      : [path.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))]
  })
}

export async function isMountPoint(path: string): Promise<boolean> {
  return (await mountPoints()).includes(await asMounted(path))
}

/** What is mounted at the path or below it, in the order it was mounted. */
export async function mountPointsBelow(path: string): Promise<string[]> {
  const root = await asMounted(path)
  return (await mountPoints()).filter((point) => point === root || point.startsWith(`${root}/`))
}

/** The kernel knows mounts by paths without links; the last name is not followed, for it may be a link a pod has made. */
async function asMounted(path: string): Promise<string> {
  const parent = await realpath(dirname(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return dirname(path)
  })
  return join(parent, basename(path))
}
