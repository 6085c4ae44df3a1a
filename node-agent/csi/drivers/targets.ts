import { mkdir, open, readlink, realpath, rmdir, symlink, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMountPoint, otherMountsOf } from '../../volumes/mount-points.ts'
import { bind, command, unmountAll } from '../../volumes/mounting.ts'

/** Shows a directory or a device at a pod's target; where nothing may be mounted, a link leads to it. */
export async function show(
  source: string,
  target: string,
  { readOnly, device, mayMount }: { readOnly: boolean; device: boolean; mayMount: boolean },
): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o750 })
  if (!mayMount) return link(source, target)
  if (!(await isMountPoint(target))) {
    if (device) await (await open(target, 'a', 0o640)).close()
    else await mkdir(target, { recursive: true, mode: 0o750 })
    await bind(target, source)
  }
  // Also of one that an earlier process has bound and not come to the end with.
  if (readOnly) await command('mount', ['-o', 'bind,remount,ro', target])
}

async function link(source: string, target: string): Promise<void> {
  const known = await readlink(target).catch(ignore('ENOENT'))
  if (known === source) return
  if (known !== undefined) await unlink(target)
  await symlink(source, target)
}

/** Takes away what was shown at the target, and nothing behind it. */
export async function hide(target: string): Promise<void> {
  await unmountAll(target)
  // A directory that something was put into beside the mount is not ours to empty.
  await rmdir(target).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR') await unlink(target)
    else if (error.code !== 'ENOENT') throw error
  })
}

/** Where else than at the target, and where the driver has it, the same directory or device is shown. */
export async function shownElsewhere(source: string, target: string): Promise<string[]> {
  const [others, at] = await Promise.all([otherMountsOf(source), realpath(target).catch(() => target)])
  return others.filter((path) => path !== at)
}

const ignore =
  (code: string) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (error.code !== code) throw error
  }
