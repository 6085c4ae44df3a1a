import type { Cache } from '../cache/cache.ts'
import { stateKey } from '../framework/cycle-state.ts'
import { maxScore, type Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'

const name = 'ImageLocality'
const megabyte = 1024 * 1024
const leastBytes = 23 * megabyte
const mostBytesPerContainer = 1000 * megabyte
const wanted = stateKey<{ images: readonly string[]; containers: number }>(name)

/** Prefers nodes that have the pod's images already. An image counts the more the more nodes have it. */
export const newImageLocality = (cache: Cache): Plugin => ({
  name,
  basis: {
    score: 'kind',
    kinds: (_state, pod) => ({
      key: '',
      of: ({ images }) =>
        images.size === 0
          ? ''
          : wantedBy(pod)
              .images.map((image) => +images.has(image))
              .join(''),
    }),
  },
  preScore(state, pod) {
    const { images: all, containers } = wantedBy(pod)
    const images = all.filter((image) => cache.image(image) !== undefined)
    if (images.length === 0) return 'skip'
    state.write(wanted, { images, containers })
    return undefined
  },
  score(state, _pod, node) {
    const { images, containers } = state.read(wanted)
    const all = cache.nodes.length
    let bytes = 0
    for (const image of images) {
      const held = node.images.get(image)
      if (held) bytes += Math.trunc(held.sizeBytes * (held.nodes.size / all))
    }
    const most = mostBytesPerContainer * containers
    const counted = Math.min(Math.max(bytes, leastBytes), most)
    return Math.trunc((maxScore * (counted - leastBytes)) / (most - leastBytes))
  },
})

function wantedBy({ pod: { spec } }: PodInfo): { images: readonly string[]; containers: number } {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
  const mounted = (spec?.volumes ?? []).flatMap(({ image }) => image?.reference ?? [])
  const images = [...containers.map(({ image }) => image ?? ''), ...mounted].map(withTag)
  return { images, containers: containers.length }
}

/** The name as nodes report it: without a tag, it means the latest. */
const withTag = (image: string): string =>
  image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
