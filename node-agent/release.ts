import { execFile } from 'node:child_process'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { silentLogger } from '../client/logger.ts'
import { openCgroups } from './containers/cgroups.ts'
import { mountPoints } from './volumes/mount-points.ts'

const run = promisify(execFile)

/**
 * Takes away what a node's pods have left on the machine once their containers have ended and no agent runs: mounted file
 * systems below the agent's directory, and the pods' cgroups. Files stay.
 */
export async function releaseNode({
  rootDir,
  podUids,
}: {
  rootDir: string
  podUids: readonly string[]
}): Promise<void> {
  const roots = [join(resolve(rootDir), 'pods'), join(resolve(rootDir), 'memory')]
  const mounted = (await mountPoints()).filter((path) =>
    roots.some((root) => path === root || path.startsWith(`${root}/`)),
  )
  // What was mounted last lies on top.
  for (const path of mounted.reverse()) await run('umount', [path])
  if (podUids.length === 0) return
  const cgroups = await openCgroups({ cores: cpus().length, pidsLimit: -1, log: silentLogger })
  for (const uid of podUids) await cgroups?.remove(uid)
}
