import { createHash } from 'node:crypto'
import type { OciImage } from '../../images/oci/image.ts'
import { CriError } from '../cri.ts'
import { pauseImageName } from './pause-name.ts'
import { type ContainerdStore, type Descriptor, snapshotter } from './store.ts'

/**
 * Brings an image into containerd and unpacks it, so that its first container starts at once. `progress` hears the bytes
 * stored so far; layers that are there already count as a whole.
 */
export async function importImage(
  store: ContainerdStore,
  image: OciImage,
  progress: (bytes: number) => void = () => {},
): Promise<void> {
  await store.withLease(async () => {
    let stored = 0
    for (const blob of [...image.layers, image.config]) {
      let sent = 0
      const count = (bytes: number) => {
        sent += bytes
        progress(stored + sent)
      }
      await store.write(blob.descriptor, counted(blob.open(), count))
      stored += blob.descriptor.size
      progress(stored)
    }
    const references = [image.config, ...image.layers].map(({ descriptor }, i): [string, string] => [
      i === 0 ? 'containerd.io/gc.ref.content.config' : `containerd.io/gc.ref.content.l.${i - 1}`,
      descriptor.digest,
    ])
    await store.write(image.manifest.descriptor, image.manifest.open(), Object.fromEntries(references))
    const top = await unpack(store, image)
    if (top !== '') {
      await store.label(image.config.descriptor.digest, { [`containerd.io/gc.ref.snapshot.${snapshotter}`]: top })
    }
    const { mediaType, digest, size } = image.manifest.descriptor
    // The label tells containerd's own interface that the image is its to show.
    // The other one keeps our sandbox image from being thrown away when the disk is full.
    for (const name of image.names) {
      const labels = {
        'io.cri-containerd.image': 'managed',
        ...(name === pauseImageName ? { 'io.cri-containerd.pinned': 'pinned' } : {}),
      }
      await store.putImage({ name, target: { mediaType, digest, size }, labels })
    }
  })
}

/** Makes a snapshot of each layer over those below it, and returns the name of the topmost. */
async function unpack(store: ContainerdStore, image: OciImage): Promise<string> {
  const ids = chainIds(image.parsed.rootfs.diff_ids)
  const present = await Promise.all(ids.map((id) => store.snapshotExists(id)))
  for (let i = present.lastIndexOf(true) + 1; i < ids.length; i++) {
    const id = ids[i]!
    const key = `gantry-unpack-${process.pid}-${id}`
    await store.removeSnapshot(key)
    const mounts = await store.prepareSnapshot(key, ids[i - 1] ?? '')
    try {
      await store.applyLayer(image.layers[i]!.descriptor as Descriptor, mounts)
      await store.commitSnapshot(id, key)
    } catch (error) {
      await store.removeSnapshot(key)
      // Another was quicker.
      if (!(error instanceof CriError && error.code === 'alreadyExists')) throw error
    }
  }
  return ids.at(-1) ?? ''
}

/** The names of a stack of layers, from the first to the whole, as OCI computes them. */
export function chainIds(diffIds: readonly string[]): string[] {
  const ids: string[] = []
  for (const diffId of diffIds) {
    const below = ids.at(-1)
    ids.push(below === undefined ? diffId : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`)
  }
  return ids
}

async function* counted(chunks: AsyncIterable<Uint8Array>, count: (bytes: number) => void) {
  for await (const chunk of chunks) {
    yield chunk
    count(chunk.length)
  }
}
