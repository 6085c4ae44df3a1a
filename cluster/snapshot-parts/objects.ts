import { existsSync } from 'node:fs'
import { snapshotPath } from '../../api/gantry/snapshot.ts'
import type { StoreOptions } from '../../apiserver/storage/open.ts'
import { type SnapshotSummary, saveSnapshot, snapshotSave } from '../../apiserver/storage/snapshot.ts'
import { StoreUnusable } from '../../apiserver/storage/store.ts'
import { Client } from '../../client/client.ts'
import { loadConfig } from '../../client/config.ts'
import { layoutOf } from '../layout.ts'

/** Saves all objects to a file: of a store that nobody uses from the store itself, of a running cluster by its API server. */
export async function saveObjects(store: StoreOptions, dataDir: string, path: string): Promise<SnapshotSummary> {
  try {
    return await snapshotSave({ store, path })
  } catch (error) {
    const { kubeconfig } = layoutOf(dataDir)
    if (!(error instanceof StoreUnusable) || error.reason !== 'locked' || !existsSync(kubeconfig)) throw error
    return saveFromServer(kubeconfig, path)
  }
}

async function saveFromServer(kubeconfig: string, path: string): Promise<SnapshotSummary> {
  const client = new Client(loadConfig({ kubeconfig }))
  async function* snapshot(): AsyncGenerator<Uint8Array> {
    const headers = { accept: 'application/octet-stream', 'accept-encoding': 'identity' }
    yield* (await client.raw('GET', snapshotPath, { headers, stream: true })) as AsyncIterable<Buffer>
  }
  try {
    return await saveSnapshot({ snapshot }, path)
  } finally {
    client.close()
  }
}
