import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { silentLogger } from '../client/logger.ts'
import { openCgroups } from './containers/cgroups.ts'
import { unmountAll } from './volumes/mounting.ts'

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
  for (const place of ['pods', 'plugins', 'memory']) await unmountAll(join(resolve(rootDir), place))
  if (podUids.length === 0) return
  const cgroups = await openCgroups({ cores: cpus().length, pidsLimit: -1, log: silentLogger })
  for (const uid of podUids) await cgroups?.remove(uid)
}
