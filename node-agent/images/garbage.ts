import { statfs } from 'node:fs/promises'
import type { Logger } from '../../client/logger.ts'
import type { Clock } from '../../client/types.ts'
import { pauseImageName } from '../runtime/containerd/pause-name.ts'
import type { Cri, Image } from '../runtime/cri.ts'
import { normalizeReference } from './reference.ts'

export interface ImageGarbageOptions {
  cri: Pick<Cri, 'listImages' | 'listContainers' | 'removeImage' | 'imageFsInfo'>
  clock: Clock
  log: Logger
  /** From this fullness of the disk on, images that no container uses are removed… */
  highThresholdPercent?: number
  /** …down to this one. */
  lowThresholdPercent?: number
  /** Younger ones are left alone. */
  minAgeMs?: number
  /** Never removed; our own sandbox image is not either, whose users are not among the containers. */
  keep?: readonly string[]
  /** What pods name beside their containers: the images of their volumes. */
  named?(): readonly string[]
  /** Of the disk on which images lie. */
  diskUsage?(path: string): Promise<{ usedBytes: number; totalBytes: number }>
}

const defaultMinAgeMs = 120_000

interface Known {
  firstSeenMs: number
  lastUsedMs: number
}

/** Removes the images used longest ago when the disk gets full. To be run every five minutes, as upstream does. */
export class ImageGarbage {
  readonly #options: ImageGarbageOptions
  readonly #known = new Map<string, Known>()

  constructor(options: ImageGarbageOptions) {
    this.#options = options
  }

  /** Removes all that nothing uses and is not young, however full the disk is; resolves to the bytes freed. */
  async removeUnused(): Promise<number> {
    const { clock, minAgeMs = defaultMinAgeMs } = this.#options
    const plan = imagesToRemove(await this.#look(), Number.POSITIVE_INFINITY, clock.now(), minAgeMs)
    return this.#remove(plan)
  }

  /** Resolves to the bytes freed. Throws an Error when the disk stays too full for lack of images to remove. */
  async run(): Promise<number> {
    const {
      cri,
      clock,
      highThresholdPercent = 85,
      lowThresholdPercent = 80,
      minAgeMs = defaultMinAgeMs,
    } = this.#options
    const images = await this.#look()
    const { imageFilesystems } = await cri.imageFsInfo()
    const path = imageFilesystems[0]?.fsId?.mountpoint
    if (path === undefined) return 0
    const { usedBytes, totalBytes } = await (this.#options.diskUsage ?? diskUsage)(path)
    if (usedBytes * 100 < highThresholdPercent * totalBytes) return 0
    const wantedBytes = usedBytes - (lowThresholdPercent / 100) * totalBytes
    const plan = imagesToRemove(images, wantedBytes, clock.now(), minAgeMs)
    const freed = await this.#remove(plan)
    if (freed < wantedBytes) {
      throw new Error(
        `Failed to garbage collect required amount of images. Attempted to free ${Math.round(wantedBytes)} bytes, but only found ${freed} bytes eligible to free.`,
      )
    }
    return freed
  }

  async #remove(plan: readonly Candidate[]): Promise<number> {
    const { cri, log } = this.#options
    let freed = 0
    for (const { id, size } of plan) {
      await cri.removeImage({ image: id })
      this.#known.delete(id)
      freed += size
      log.info({ image: id, bytes: size }, 'removed an image to free the disk')
    }
    return freed
  }

  async #look(): Promise<Candidate[]> {
    const { cri, clock, keep = [] } = this.#options
    const now = clock.now()
    const spared = new Set([pauseImageName, ...keep])
    const [images, containers] = await Promise.all([cri.listImages(), cri.listContainers()])
    const named = (this.#options.named?.() ?? []).map((reference) => normalizeReference(reference) ?? reference)
    const used = new Set([
      ...containers.flatMap(({ imageId, imageRef, image }) => [imageId, imageRef, image.image]),
      ...named,
    ])
    for (const id of this.#known.keys()) if (!images.some((image) => image.id === id)) this.#known.delete(id)
    return images.flatMap((image) => {
      const known = this.#known.get(image.id) ?? { firstSeenMs: now, lastUsedMs: 0 }
      this.#known.set(image.id, known)
      const names = [image.id, ...image.repoTags, ...image.repoDigests]
      if (names.some((name) => used.has(name))) known.lastUsedMs = now
      if (image.pinned || known.lastUsedMs === now || names.some((name) => spared.has(name))) return []
      return [{ ...image, ...known }]
    })
  }
}

type Candidate = Pick<Image, 'id' | 'size'> & Known

/** Which of the images that nothing uses go, the longest unused first, until that many bytes are free. */
export function imagesToRemove(
  images: readonly Candidate[],
  wantedBytes: number,
  nowMs: number,
  minAgeMs: number,
): Candidate[] {
  const plan: Candidate[] = []
  let freed = 0
  const oldestFirst = [...images].sort((a, b) => a.lastUsedMs - b.lastUsedMs || a.firstSeenMs - b.firstSeenMs)
  for (const image of oldestFirst) {
    if (freed >= wantedBytes) break
    if (nowMs - image.firstSeenMs < minAgeMs) continue
    plan.push(image)
    freed += image.size
  }
  return plan
}

async function diskUsage(path: string): Promise<{ usedBytes: number; totalBytes: number }> {
  const { bsize, blocks, bavail } = await statfs(path)
  return { totalBytes: blocks * bsize, usedBytes: (blocks - bavail) * bsize }
}
