import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreUnusable } from '../store.ts'
import { decodeMeta, encodeMeta, type Meta, metaKey } from './layout.ts'
import { openTree, type Tree } from './tree.ts'
import { verifyFile } from './verify.ts'

export const dataFile = 'data.mdb'
/** Written once the data file is complete: with it, a missing data file is a loss and not a beginning. */
const markerFile = 'FORMAT'
const newStore: Meta = { revision: 1, compacted: 0, historyBytes: 0 }

/** Opens or begins the data file of a locked directory. Throws {@link StoreUnusable}, having changed nothing. */
export async function openDirectory(directory: string): Promise<{ tree: Tree; meta: Meta }> {
  const path = join(directory, dataFile)
  const isMarked = existsSync(join(directory, markerFile))
  const isThere = existsSync(path)
  if (isMarked && !isThere)
    throw new StoreUnusable('corrupt', `${path} is missing: restore the store from a snapshot, or remove ${directory}`)
  // An empty file without the marker is a store whose making was cut off.
  if (isThere && (isMarked || statSync(path).size > 0)) verifyFile(path)
  const tree = openTree(path)
  try {
    return { tree, meta: await readMeta(tree, directory, isMarked) }
  } catch (error) {
    await tree.close()
    throw error
  }
}

async function readMeta(tree: Tree, directory: string, isMarked: boolean): Promise<Meta> {
  const path = join(directory, dataFile)
  const raw = tree.get(metaKey)
  if (!raw) {
    if (isMarked) throw new StoreUnusable('corrupt', `${path} has lost its meta record: restore it from a snapshot`)
    if (tree.count(Buffer.from([0]), Buffer.from([255])) > 0)
      throw new StoreUnusable('foreign', `${path} is not a Gantry store`)
    await tree.write([[metaKey, encodeMeta(newStore)]])
  }
  const meta = raw ? decodeMeta(raw) : newStore
  if (!isMarked) writeMarker(directory)
  return meta
}

/** Says that the data file is complete. */
export function writeMarker(directory: string): void {
  writeFileSync(join(directory, markerFile), 'gantry store 1\n', { mode: 0o600 })
}
