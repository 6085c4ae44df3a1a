import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openStore, type StoreOptions } from './open.ts'
import { decodeSnapshot, type SnapshotEntry, type SnapshotHeader } from './snapshot-format.ts'
import type { Change, Revision, Store } from './store.ts'
import { maxChanges } from './store.ts'

export { SnapshotDamaged } from './snapshot-format.ts'

export interface Progressed {
  /** Of the snapshot file. */
  bytes: number
  /** When restoring, the size of the file; when saving, unknown. */
  totalBytes?: number
}

export interface SaveOptions {
  onProgress?: (progress: Progressed) => void
}

export interface RestoreOptions {
  /** Replace what the target holds. Without it a target that holds anything is refused. */
  force?: boolean
  /**
   * How far the embedded store's revision is moved ahead of the snapshot's. Clients may have seen later revisions than
   * the snapshot's before the disaster: none of them must come to mean something else. Default 1,000,000.
   */
  revisionsAhead?: number
  onProgress?: (progress: Progressed) => void
}

export interface SnapshotSummary {
  revision: Revision
  entries: number
  bytes: number
}

/** What one etcd request may carry, with room to spare under etcd's 1.5 MiB. */
const commitBytes = 1 << 20
const aheadDefault = 1_000_000
const bumpsAtOnce = 64
const bumpKey = '/gantry-restore'

/**
 * Writes a snapshot of the store to a file, which appears only when it is whole and on disk. An existing file is
 * replaced.
 */
export async function saveSnapshot(
  store: Pick<Store, 'snapshot'>,
  path: string,
  options: SaveOptions = {},
): Promise<SnapshotSummary> {
  const staged = `${path}.${process.pid}.partial`
  let bytes = 0
  try {
    const file = await open(staged, 'w', 0o600)
    try {
      for await (const chunk of store.snapshot()) {
        await file.writeFile(chunk)
        bytes += chunk.length
        options.onProgress?.({ bytes })
      }
      await file.sync()
    } finally {
      await file.close()
    }
    const summary = await inspectSnapshot(staged)
    await rename(staged, path)
    await syncDirectory(dirname(path))
    return summary
  } catch (error) {
    await rm(staged, { force: true })
    throw error
  }
}

/** Reads a snapshot file through. Throws SnapshotDamaged for anything but a whole, undamaged one. */
export async function inspectSnapshot(path: string): Promise<SnapshotSummary> {
  const { header, entries } = await readFile(path)
  let count = 0
  for await (const _ of entries) count++
  return { revision: header.revision, entries: count, bytes: (await stat(path)).size }
}

/**
 * Fills a store from a snapshot file, which is checked first. An embedded target (not in use) gets the entries with
 * their revisions; an etcd target gets the entries anew and is moved past the snapshot's revision. In both all history
 * is compacted, so that watches from before are told to start again. Throws SnapshotDamaged, StoreUnusable, and an
 * Error for a target that holds something already.
 */
export async function restoreSnapshot(
  path: string,
  target: StoreOptions,
  options: RestoreOptions = {},
): Promise<SnapshotSummary> {
  const summary = await inspectSnapshot(path)
  const { header, entries } = await readFile(path, (bytes) =>
    options.onProgress?.({ bytes, totalBytes: summary.bytes }),
  )
  if (target.kind === 'embedded') {
    const { createEmbedded } = await import('./embedded/create.ts')
    const revision = header.revision + (options.revisionsAhead ?? aheadDefault)
    await createEmbedded(target.directory, revision, entries, { replace: options.force ?? false })
    return { ...summary, revision }
  }
  const store = await openStore(target)
  try {
    return { ...summary, revision: await fill(store, header, entries, options.force ?? false) }
  } finally {
    await store.close()
  }
}

/** Opens a store, saves a snapshot of it and closes it: what the command line calls. */
export async function snapshotSave(
  options: SaveOptions & { store: StoreOptions; path: string },
): Promise<SnapshotSummary> {
  const store = await openStore(options.store)
  try {
    return await saveSnapshot(store, options.path, options)
  } finally {
    await store.close()
  }
}

/** {@link restoreSnapshot} as the command line calls it. */
export function snapshotRestore(
  options: RestoreOptions & { store: StoreOptions; path: string },
): Promise<SnapshotSummary> {
  return restoreSnapshot(options.path, options.store, options)
}

async function readFile(
  path: string,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<{ header: SnapshotHeader; entries: AsyncGenerator<SnapshotEntry> }> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let bytes = 0
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      bytes += (chunk as Buffer).length
      onBytes(bytes)
      yield chunk as Buffer
    }
  }
  return decodeSnapshot(chunks())
}

async function fill(
  store: Store,
  header: SnapshotHeader,
  entries: AsyncIterable<SnapshotEntry>,
  isForced: boolean,
): Promise<Revision> {
  const standing = await store.list('/')
  if (standing.entries.length > 0 && !isForced)
    throw new Error(`the target already holds ${standing.entries.length} entries: empty it first, or force the restore`)
  const obsolete = new Set(standing.entries.map((entry) => entry.key))
  let changes: Change[] = []
  let bytes = 0
  const flush = async () => {
    if (changes.length > 0) await store.commit(changes)
    changes = []
    bytes = 0
  }
  for await (const { key, value, ttlSeconds } of entries) {
    const size = key.length + value.length
    if (changes.length === maxChanges || bytes + size > commitBytes) await flush()
    changes.push({ key, value, expect: 'any', ...(ttlSeconds > 0 ? { ttlSeconds } : {}) })
    bytes += size
    obsolete.delete(key)
  }
  for (const key of obsolete) {
    if (changes.length === maxChanges) await flush()
    changes.push({ key, value: null, expect: 'any' })
  }
  await flush()
  await moveBeyond(store, header.revision)
  const revision = await store.commit([{ key: bumpKey, value: null, expect: 'any' }])
  await store.compact(revision)
  return revision
}

/** Commits until the store's revision is past the one given: a revision must not be used for two states. */
async function moveBeyond(store: Store, revision: Revision): Promise<void> {
  let left = revision + 1 - (await store.revision())
  const bump = async () => {
    while (left-- > 0) await store.commit([{ key: bumpKey, value: Buffer.alloc(0), expect: 'any' }])
  }
  await Promise.all(Array.from({ length: bumpsAtOnce }, bump))
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
