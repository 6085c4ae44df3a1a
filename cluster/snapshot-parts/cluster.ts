import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { StoreOptions } from '../../apiserver/storage/open.ts'
import { type SnapshotSummary, snapshotRestore, snapshotSave } from '../../apiserver/storage/snapshot.ts'
import { nodeNames } from '../components.ts'
import { bytes, ProgressLine } from '../image/progress-line.ts'
import { type Layout, layoutOf } from '../layout.ts'
import { freePort } from '../ports.ts'
import { readSettings, type Settings, settle, writeSettings } from '../settings.ts'
import { isBundle, type Part, readBundle, writeBundle } from './bundle.ts'
import { saveObjects } from './objects.ts'

/** What a snapshot has beside the objects. */
export interface Parts {
  images?: boolean
  volumes?: boolean
  /** What the cluster was made as: goes without saying with one of the others. */
  settings?: boolean
}

export interface Restored extends SnapshotSummary {
  images: number
  /** Nodes that got volumes. */
  volumes: number
}

/**
 * Saves a cluster to one file: its objects, and what else is asked for, for which it must be stopped. With objects alone the file is what it always
 * was, a snapshot of the store, which an etcd takes, too.
 */
export async function saveCluster({
  store,
  dataDir,
  path,
  parts,
}: {
  store: StoreOptions
  dataDir: string
  path: string
  parts: Parts
}): Promise<Restored> {
  if (!parts.images && !parts.volumes && !parts.settings) {
    return { ...(await saveObjects(store, dataDir, path)), images: 0, volumes: 0 }
  }
  const layout = layoutOf(dataDir)
  const settings = readSettings(layout.settings)
  if (!settings && (parts.images || parts.volumes)) {
    throw new Error(
      `there is no cluster in ${dataDir} whose images and volumes could be saved: name it with --data-dir`,
    )
  }
  return withWorkDirectory(path, async (work) => {
    const objects = join(work, 'objects')
    // Images and volumes are to be as the objects say: nobody may be at work in the cluster.
    const summary = await (parts.images || parts.volumes
      ? snapshotSave({ store, path: objects })
      : saveObjects(store, dataDir, objects))
    const all: Part[] = [{ name: 'objects', path: objects }]
    if (settings) all.push({ name: 'settings', path: layout.settings })
    const restored: Restored = { ...summary, images: 0, volumes: 0 }
    for (const node of settings ? nodeNames(settings.nodes) : []) {
      if (parts.images && settings && settings.runtime !== 'hollow') {
        const own = join(work, `images-${node}`)
        const count = await shown(`saving the images of ${node}`, async () =>
          (await import('./images.ts')).saveImages(layout, settings, node, own),
        )
        if (count > 0) all.push({ name: `images/${node}`, path: own })
        restored.images += count
      }
      if (parts.volumes) {
        const own = join(work, `volumes-${node}`)
        const has = await shown(`saving the volumes of ${node}`, async () =>
          (await import('./volumes.ts')).saveVolumes(layout.node(node), own),
        )
        if (has) all.push({ name: `volumes/${node}`, path: own })
        restored.volumes += has ? 1 : 0
      }
    }
    const line = new ProgressLine(`writing ${path}`)
    let written = 0
    await writeBundle(path, all, (count) => {
      written = count
    })
    line.end(`wrote ${path} (${bytes(written)})`)
    return restored
  })
}

/** Brings back all that a file has. A directory without a cluster becomes one like it, with ports of its own. */
export async function restoreCluster({
  store,
  dataDir,
  path,
  force,
}: {
  store: StoreOptions
  dataDir: string
  path: string
  force: boolean
}): Promise<Restored> {
  if (!(await isBundle(path))) return { ...(await snapshotRestore({ store, path, force })), images: 0, volumes: 0 }
  const layout = layoutOf(dataDir)
  return withWorkDirectory(layout.dataDir, async (work) => {
    const parts = await readBundle(path, work)
    const objects = parts.find(({ name }) => name === 'objects')
    if (!objects) throw new Error(`${path} is no snapshot of a cluster: it has no objects`)
    const restored: Restored = {
      ...(await snapshotRestore({ store, path: objects.path, force })),
      images: 0,
      volumes: 0,
    }
    const settings = await settingsFor(layout, parts)
    const names = settings ? nodeNames(settings.nodes) : []
    for (const part of parts) {
      const [kind = '', saved = ''] = part.name.split('/')
      // The only node of a cluster is called as its machine.
      const node = names.length === 1 ? names[0] : names.find((name) => name === saved)
      if (!settings || !node) continue
      if (kind === 'images') {
        restored.images += await shown(`bringing images to ${node}`, async () =>
          (await import('./images.ts')).loadImages(layout, settings, node, part.path),
        )
      } else if (kind === 'volumes') {
        await shown(`bringing volumes to ${node}`, async () =>
          (await import('./volumes.ts')).restoreVolumes(layout.node(node), part.path),
        )
        restored.volumes++
      }
    }
    return restored
  })
}

/** What the cluster in the directory is made as; what the saved one was made as, where there is none yet. */
async function settingsFor(layout: Layout, parts: readonly Part[]): Promise<Settings | undefined> {
  const kept = readSettings(layout.settings)
  const saved = parts.find(({ name }) => name === 'settings')
  if (kept || !saved) return kept
  const { runtime, nodes, extraConfig } = JSON.parse(readFileSync(saved.path, 'utf8')) as Settings
  const flags = {
    dataDir: layout.dataDir,
    runtime,
    store: 'embedded' as const,
    nodes,
    port: 0,
    detach: false,
    quickstart: false,
    help: false,
    supervise: false,
    ...(extraConfig ? { extraConfig } : {}),
  }
  const settings = await settle(flags, undefined, { runtime, freePort })
  writeSettings(layout.settings, settings)
  return settings
}

/** A directory for parts beside what they become part of, so that there is as much room. */
export async function withWorkDirectory<T>(beside: string, work: (directory: string) => Promise<T>): Promise<T> {
  mkdirSync(dirname(beside), { recursive: true })
  const directory = mkdtempSync(join(dirname(beside), '.gantry-snapshot-'))
  try {
    return await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function shown<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const line = new ProgressLine(what)
  const result = await work()
  line.end(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  return result
}
