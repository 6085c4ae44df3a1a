import { existsSync, readdirSync } from 'node:fs'
import type { StoreOptions } from '../apiserver/storage/open.ts'
import { layoutOf } from './layout.ts'
import { type Parts, type Restored, restoreCluster, saveCluster, withWorkDirectory } from './snapshot-parts/cluster.ts'

/**
 * Makes a cluster of its own of what another one is: the same objects, nodes and flags, other ports, and certificates of its
 * own when it starts; its images and volumes, if they are asked for, for which it must be stopped. Throws for a directory that holds
 * something.
 */
export async function cloneCluster(
  store: StoreOptions,
  from: string,
  to: string,
  parts: Parts = {},
): Promise<Restored> {
  const target = layoutOf(to)
  if (existsSync(target.dataDir) && readdirSync(target.dataDir).length > 0)
    throw new Error(`${target.dataDir} holds something already: choose another directory`)
  return withWorkDirectory(target.dataDir, async (work) => {
    const path = `${work}/cluster`
    await saveCluster({ store, dataDir: from, path, parts: { ...parts, settings: true } })
    const own: StoreOptions = { kind: 'embedded', directory: `${target.dataDir}/store` }
    return restoreCluster({ store: own, dataDir: target.dataDir, path, force: false })
  })
}
