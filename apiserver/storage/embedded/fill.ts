import type { SnapshotEntry } from '../snapshot-format.ts'
import type { Revision } from '../store.ts'
import { currentKey, encodeMeta, encodeRow, expiryKey, metaKey } from './layout.ts'
import type { Put, Tree } from './tree.ts'

const batchBytes = 4 << 20

/** Writes entries into an empty tree, which then stands at `revision` and remembers nothing before it. */
export async function fillTree(
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
