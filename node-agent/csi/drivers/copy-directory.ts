import { mkdir, rmdir } from 'node:fs/promises'
import { command } from '../../volumes/mounting.ts'

/** For as much as fits on a disk. */
export const copyPatience = { patienceMs: 3_600_000 }

const copyAll = 'exec cp -a --reflink=auto "$1/." "$2"'

/** Nothing that a link leads to can be reached through the view: the kernel refuses to follow any in it. */
const copyThroughView = `
  set -e
  mount --bind "$1" "$3"
  mount -o remount,bind,ro,nosymfollow "$3"
  exec cp -a --reflink=auto "$3/." "$2"`

/**
 * Copies a directory with all that is in it, sharing blocks where the disk can. Pods may be at work in it meanwhile, and put a
 * link where a directory was a moment ago: so it is looked at through a view in which links lead nowhere. That goes with the
 * process that copies, and that goes with this one: whoever comes after removes what was half copied, and nobody adds to it.
 */
export async function copyDirectory(from: string, to: string, mayMount: boolean): Promise<void> {
  await mkdir(to)
  const copy = (...script: string[]) => command('setpriv', ['--pdeathsig', 'KILL', ...script], copyPatience)
  if (!mayMount) return copy('sh', '-c', copyAll, 'copy', from, to)
  const view = `${to}.view`
  await mkdir(view)
  try {
    const inView = ['sh', '-c', copyThroughView, 'copy', from, to, view]
    await copy('unshare', '--mount', '--propagation', 'private', ...inView)
  } finally {
    await rmdir(view)
  }
}
