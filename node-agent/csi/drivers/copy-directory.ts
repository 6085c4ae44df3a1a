import { mkdir, rmdir } from 'node:fs/promises'
import { command } from '../../volumes/mounting.ts'

/** For as much as fits on a disk. */
export const copyPatience = { patienceMs: 3_600_000 }

const copyAll = 'cp -a --reflink=auto "$1/." "$2"'

/** Nothing that a link leads to can be reached through the view: the kernel refuses to follow any in it. */
const copyThroughView = `
  set -e
  mount --bind "$1" "$3"
  mount -o remount,bind,ro,nosymfollow "$3"
  cp -a --reflink=auto "$3/." "$2"`

/**
 * Copies a directory with all that is in it, sharing blocks where the disk can. Pods may be at work in it meanwhile, and put a
 * link where a directory was a moment ago: so it is looked at through a view in which links lead nowhere. That goes with the
 * process that copies.
 */
export async function copyDirectory(from: string, to: string, mayMount: boolean): Promise<void> {
  await mkdir(to)
  if (!mayMount) return command('sh', ['-c', copyAll, 'copy', from, to], copyPatience)
  const view = `${to}.view`
  await mkdir(view)
  try {
    const script = ['sh', '-c', copyThroughView, 'copy', from, to, view]
    await command('unshare', ['--mount', '--propagation', 'private', ...script], copyPatience)
  } finally {
    await rmdir(view)
  }
}
