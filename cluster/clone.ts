import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreOptions } from '../apiserver/storage/open.ts'
import { type SnapshotSummary, snapshotRestore, snapshotSave } from '../apiserver/storage/snapshot.ts'
import { layoutOf } from './layout.ts'
import { freePort } from './ports.ts'
import { readSettings, settle, writeSettings } from './settings.ts'

/**
 * Makes a cluster of its own of what another one, which is stopped, was: the same objects, nodes and flags, other ports, and
 * certificates of its own when it starts. Throws for a directory that holds something.
 */
export async function cloneCluster(store: StoreOptions, from: string, to: string): Promise<SnapshotSummary> {
  const [source, target] = [layoutOf(from), layoutOf(to)]
  if (existsSync(target.dataDir) && readdirSync(target.dataDir).length > 0)
    throw new Error(`${target.dataDir} holds something already: choose another directory`)
  const work = mkdtempSync(join(tmpdir(), 'gantry-clone-'))
  try {
    const path = join(work, 'objects')
    await snapshotSave({ store, path })
    const summary = await snapshotRestore({
      store: { kind: 'embedded', directory: join(target.dataDir, 'store') },
      path,
    })
    const kept = readSettings(source.settings)
    if (kept) {
      const flags = {
        dataDir: target.dataDir,
        runtime: kept.runtime,
        store: 'embedded' as const,
        nodes: kept.nodes,
        port: 0,
        detach: false,
        quickstart: false,
        help: false,
        supervise: false,
        ...(kept.extraConfig ? { extraConfig: kept.extraConfig } : {}),
      }
      writeSettings(target.settings, await settle(flags, undefined, { runtime: kept.runtime, freePort }))
    }
    return summary
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
