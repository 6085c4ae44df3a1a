import {
  type Blob,
  bytesBlob,
  type Descriptor,
  type ImageConfig,
  type Manifest,
  type OciImage,
  ownPlatform,
  readBlob,
} from '../../node-agent/images/oci/image.ts'
import { normalizeReference } from '../../node-agent/images/reference.ts'
import { connectCri } from '../../node-agent/runtime/client.ts'
import { importImage } from '../../node-agent/runtime/containerd/import.ts'
import { type ContainerdStore, openStore } from '../../node-agent/runtime/containerd/store.ts'
import type { ImageTarget } from './targets.ts'

/** The images of a containerd, over its own services. */
export function containerdTarget(node: string, endpoint: string): ImageTarget {
  const store = openStore(endpoint)
  const cri = connectCri(endpoint)
  return {
    node,
    endpoint,
    cri,
    list: async () =>
      (await cri.listImages()).map(({ id, repoTags, repoDigests, size }) => ({
        id,
        names: repoTags.length > 0 ? repoTags : repoDigests,
        sizeBytes: size,
      })),
    load: (image, progress) => importImage(store, image, progress),
    async read(name) {
      const { image } = await cri.imageStatus({ image: name })
      if (!image) return undefined
      const names = image.repoTags.length > 0 ? image.repoTags : [normalizeReference(name) ?? name]
      const stored = (await store.image(names[0]!)) ?? (await store.image(image.repoDigests[0] ?? image.id))
      return stored && readStored(store, stored.target, names)
    },
    async remove(name) {
      const { image } = await cri.imageStatus({ image: name })
      if (!image) return false
      const whole = normalizeReference(name)
      // The interface's own removal takes every name that the image has.
      if (image.repoTags.length > 1 && whole !== undefined) await store.removeImage(whole)
      else await cri.removeImage({ image: name })
      return true
    },
    close() {
      store.close()
      cri.close()
    },
  }
}

async function readStored(store: ContainerdStore, target: Descriptor, names: string[]): Promise<OciImage> {
  const blob = ({ mediaType, digest, size }: Descriptor): Blob => ({
    descriptor: { mediaType, digest, size },
    open: () => store.read(digest),
  })
  const bytes = await readBlob(blob(target))
  const manifest = JSON.parse(bytes.toString()) as Manifest & { manifests?: Descriptor[] }
  if (manifest.manifests) {
    const { os, architecture } = ownPlatform()
    const own = manifest.manifests.find(({ platform }) => platform?.os === os && platform.architecture === architecture)
    if (!own) throw new Error(`${names[0]} has nothing for ${os}/${architecture}`)
    return readStored(store, own, names)
  }
  const config = blob(manifest.config)
  return {
    names,
    manifest: bytesBlob(target.mediaType, bytes),
    config,
    layers: manifest.layers.map(blob),
    parsed: JSON.parse((await readBlob(config)).toString()) as ImageConfig,
  }
}
