import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Mount } from '../cri.ts'

/** Larger files are not copied for each container, but linked; the image's own are not to be written to. */
const linkedBytes = 256 * 1024

/** Makes the directory that stands for a container's root: the image's files, and a link for each mount. */
export function makeRoot(root: string, imageRoot: string | undefined, mounts: readonly Mount[]): void {
  mkdirSync(root, { recursive: true })
  if (imageRoot !== undefined) copyTree(imageRoot, root)
  for (const { containerPath, hostPath } of mounts) {
    if (containerPath === '/' || hostPath === '') continue
    const path = join(root, containerPath)
    // Below another mount, the path is inside that volume: only what is missing there is made.
    if (existsSync(path) && !path.startsWith(`${root}/`)) continue
    mkdirSync(dirname(path), { recursive: true })
    rmSync(path, { recursive: true, force: true })
    symlinkSync(hostPath, path)
  }
}

function copyTree(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) {
      mkdirSync(target, { recursive: true })
      copyTree(source, target)
    } else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else if (entry.isFile()) copyFile(source, target)
  }
}

function copyFile(source: string, target: string): void {
  const { size, mode } = lstatSync(source)
  if (size > linkedBytes) {
    try {
      linkSync(source, target)
      return
    } catch {
      // Another file system, or too many links: a copy does as well.
    }
  }
  copyFileSync(source, target)
  chmodSync(target, mode | 0o200)
}
