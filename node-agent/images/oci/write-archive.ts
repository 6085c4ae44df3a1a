import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import { type Blob, bytesBlob, mediaTypes, type OciImage } from './image.ts'

/** Writes images as an OCI archive that `docker load` reads too. */
export async function writeArchive(images: readonly OciImage[], out: Writable): Promise<void> {
  const tar = pack()
  const written = pipeline(tar as unknown as NodeJS.ReadableStream, out)
  const add = (name: string, blob: Blob): Promise<void> =>
    new Promise((resolve, reject) => {
      const entry = tar.entry({ name, size: blob.descriptor.size, mtime: new Date(0) }, (error) =>
        error ? reject(error) : resolve(),
      )
      const fill = async () => {
        for await (const chunk of blob.open()) {
          if (!entry.write(Buffer.from(chunk)))
            await new Promise<void>((drained) => entry.once('drain', () => drained()))
        }
        entry.end(undefined)
      }
      fill().catch(reject)
    })
  const text = (name: string, value: unknown) =>
    add(name, bytesBlob('application/json', Buffer.from(JSON.stringify(value))))
  try {
    await text('oci-layout', { imageLayoutVersion: '1.0.0' })
    const done = new Set<string>()
    for (const { layers, config, manifest } of images) {
      for (const blob of [...layers, config, manifest]) {
        const path = blobPath(blob)
        if (done.has(path)) continue
        done.add(path)
        await add(path, blob)
      }
    }
    const manifests = images.flatMap(({ names, manifest, parsed }) => {
      const { mediaType, digest, size } = manifest.descriptor
      const platform = { architecture: parsed.architecture, os: parsed.os }
      const own = { mediaType, digest, size, platform }
      return names.length === 0 ? [own] : names.map((name) => ({ ...own, annotations: annotationsOf(name) }))
    })
    await text('index.json', { schemaVersion: 2, mediaType: mediaTypes.index, manifests })
    const docker = images.map(({ names, config, layers }) => ({
      Config: blobPath(config),
      RepoTags: names.map((name) => name.replace(/^docker\.io\/(library\/)?/, '')),
      Layers: layers.map(blobPath),
    }))
    await text('manifest.json', docker)
    tar.finalize()
  } catch (error) {
    tar.destroy(error as Error)
    await written.catch(() => {})
    throw error
  }
  await written
}

const blobPath = ({ descriptor }: Blob): string => `blobs/${descriptor.digest.replace(':', '/')}`

const annotationsOf = (name: string) => ({
  'io.containerd.image.name': name,
  'org.opencontainers.image.ref.name': name,
})
