import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { snapshotPath } from '../../api/gantry/snapshot.ts'
import type { Store } from '../storage/store.ts'
import type { PathHandler } from './pipeline.ts'

/**
 * GET of a snapshot of all that is stored, as of one revision, while the server goes on. It has every secret in it: nobody
 * but who may do everything has the right to it. A client that leaves is no failure.
 */
export const serveSnapshot =
  (store: Pick<Store, 'snapshot'>): PathHandler =>
  async (_req, res, { path, method }) => {
    if (path !== snapshotPath || method !== 'GET') return false
    res.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' })
    await pipeline(Readable.from(store.snapshot()), res).catch((error: unknown) => {
      if (!res.destroyed) throw error
    })
    return true
  }
