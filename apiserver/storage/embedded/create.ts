import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { SnapshotEntry } from '../snapshot-format.ts'
import type { Revision } from '../store.ts'
import { dataFile, writeMarker } from './directory.ts'
import { currentKey, encodeMeta, encodeRow, expiryKey, metaKey } from './layout.ts'
import { lockDirectory } from './lock.ts'
import { openTree, type Put, type Tree } from './tree.ts'

const batchBytes = 4 << 20

/**
 * Makes a store of given entries, at `revision` and with no history before it. It takes its place only when it is
 * whole; a store that is there already is refused, or replaced if `replace`. Throws StoreUnusable when that is in use.
 */
export async function createEmbedded(
  directory: string,
  revision: Revision,
  entries: AsyncIterable<SnapshotEntry>,
  options: { replace: boolean },
): Promise<void> {
  const lock = await lockDirectory(directory)
  const path = join(directory, dataFile)
  const staged = join(directory, `restoring-${dataFile}`)
  try {
    if (existsSync(path) && !options.replace)
      throw new Error(`${directory} already holds a store: choose another directory, or force the restore`)
    removeFile(staged)
    const tree = openTree(staged)
    try {
      await fillTree(tree, revision, entries, Date.now())
    } finally {
      await tree.close()
    }
    rmSync(`${path}-lock`, { force: true })
    renameSync(staged, path)
    writeMarker(directory)
    syncDirectory(directory)
  } finally {
    removeFile(staged)
    await lock.release()
  }
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  fsyncSync(handle)
  closeSync(handle)
}

function removeFile(path: string): void {
  rmSync(path, { force: true })
  rmSync(`${path}-lock`, { force: true })
}

/** Writes entries into an empty tree, which then stands at `revision` and remembers nothing before it. */
async function fillTree(
  tree: Tree,
  revision: Revision,
  entries: AsyncIterable<SnapshotEntry>,
  nowMs: number,
): Promise<void> {
  let puts: Put[] = []
  let bytes = 0
  for await (const { key, value, createRevision, modRevision, ttlSeconds } of entries) {
    const expiresMs = ttlSeconds > 0 ? Math.ceil(nowMs + ttlSeconds * 1000) : 0
    puts.push([currentKey(key), encodeRow({ createRevision, modRevision, expiresMs, value })])
    if (expiresMs > 0) puts.push([expiryKey(expiresMs, key), Buffer.from([1])])
    bytes += value.length
    if (bytes < batchBytes) continue
    await tree.write(puts)
    puts = []
    bytes = 0
  }
  // Last of all: without its meta record the tree is no store, should this be cut off.
  await tree.write([...puts, [metaKey, encodeMeta({ revision, compacted: revision, historyBytes: 0 })]])
}
