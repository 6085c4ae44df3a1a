import { CriError } from '../cri.ts'
import type { ImageView } from '../index.ts'

/** Read-only views of images: snapshots of their own, which keep the image's layers as long as they are there. */
export function imageViews(endpoint: string) {
  return {
    async viewImage(imageId: string, key: string): Promise<ImageView> {
      const [{ openStore }, { chainIds }] = await Promise.all([import('./store.ts'), import('./import.ts')])
      const store = openStore(endpoint)
      try {
        const { rootfs } = JSON.parse(await textOf(store.read(imageId))) as { rootfs: { diff_ids: string[] } }
        const top = chainIds(rootfs.diff_ids).at(-1) ?? ''
        const mounts = await store
          .viewSnapshot(key, top, { 'containerd.io/gc.root': new Date().toISOString() })
          .catch((error) => {
            // An agent before this one made it and did not get to mounting it.
            if (error instanceof CriError && error.code === 'alreadyExists') return store.snapshotMounts(key)
            throw error
          })
        const [first] = mounts
        if (!first || mounts.length > 1) throw new Error(`image ${imageId} cannot be mounted at one place`)
        return first
      } finally {
        store.close()
      }
    },
    async releaseView(key: string): Promise<void> {
      const { openStore } = await import('./store.ts')
      const store = openStore(endpoint)
      await store.removeSnapshot(key).finally(() => store.close())
    },
  }
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts).toString('utf8')
}
