import { connectCri } from '../../node-agent/runtime/client.ts'
import type { ImageTarget } from './targets.ts'

/** A hollow node has names of images, and nothing in them. */
export function hollowTarget(node: string, endpoint: string): ImageTarget {
  const cri = connectCri(endpoint)
  return {
    node,
    list: async () =>
      (await cri.listImages()).map(({ id, repoTags, size }) => ({ id, names: repoTags, sizeBytes: size })),
    async load({ names }) {
      for (const image of names) await cri.pullImage({ image: { image } })
    },
    read: async () => {
      throw new Error('the images of a hollow node have no content to save')
    },
    async remove(image) {
      const found = (await cri.imageStatus({ image })).image !== null
      if (found) await cri.removeImage({ image })
      return found
    },
    close: () => cri.close(),
  }
}
