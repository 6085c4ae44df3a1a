import { readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

interface MountEntry {
  /** Of the file system, `8:1`. */
  device: string
  /** Which directory of the file system is shown. */
  root: string
  path: string
  /** What was named to be mounted: `/dev/loop0`. */
  source: string
}

/** All that is mounted, as this process sees it, in the order it was mounted. */
export async function mountTable(): Promise<MountEntry[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const [, , device, root, path, ...rest] = line.split(' ')
    if (device === undefined || root === undefined || path === undefined) return []
    const source = rest[rest.indexOf('-') + 2] ?? ''
    return [{ device, root: plain(root), path: plain(path), source: plain(source) }]
  })
}

/** The kernel writes blanks and the like as octal numbers. */
const plain = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))

/** Whether a file system is mounted on this very path. */
export async function isMountPoint(path: string): Promise<boolean> {
  const at = await asMounted(path)
  return (await mountTable()).some((entry) => entry.path === at)
}

/** What is mounted at the path or below it, in the order it was mounted. */
export async function mountPointsBelow(path: string): Promise<string[]> {
  const root = await asMounted(path)
  return (await mountTable())
    .map((entry) => entry.path)
    .filter((point) => point === root || point.startsWith(`${root}/`))
}

/** Where else the directory is mounted, wherever it lies in its own file system. */
export async function otherMountsOf(path: string): Promise<string[]> {
  const at = await realpath(path)
  const table = await mountTable()
  const holder = table
    .filter((entry) => at === entry.path || at.startsWith(entry.path === '/' ? '/' : `${entry.path}/`))
    .reduce<MountEntry | undefined>(
      (best, entry) => (best && best.path.length > entry.path.length ? best : entry),
      undefined,
    )
  if (!holder) return []
  const root = join(holder.root, at.slice(holder.path === '/' ? 0 : holder.path.length)) || '/'
  const trimmed = root.length > 1 ? root.replace(/\/+$/, '') : root
  return table
    .filter((entry) => entry.device === holder.device && entry.root === trimmed && entry.path !== at)
    .map((entry) => entry.path)
}

/** The kernel knows mounts by paths without links; the last name is not followed, for it may be a link a pod has made. */
async function asMounted(path: string): Promise<string> {
  const parent = await realpath(dirname(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return dirname(path)
  })
  return join(parent, basename(path))
}
