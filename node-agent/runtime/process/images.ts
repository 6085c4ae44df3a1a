import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageConfig, OciImage } from '../../images/oci/image.ts'
import { digestOf } from '../../images/oci/image.ts'
import { normalizeReference } from '../../images/reference.ts'
import type { Image } from '../cri.ts'
import type { ImageBackend } from '../local/backend.ts'

/** An image as a directory. */
export interface UnpackedImage {
  id: string
  names: string[]
  size: number
  /** Below the store's directory; absent: an image that brings nothing, whose commands are the machine's. */
  root?: string
  config: ImageConfig['config']
}

/** The images of the process runtime; `gantry image load` writes here too, so the index is read anew when it changes. */
export class DirectoryImages implements ImageBackend {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
  }

  list(): Image[] {
    return this.#read().map(asImage)
  }

  find(reference: string): Image | undefined {
    const image = this.unpacked(reference)
    return image ? asImage(image) : undefined
  }

  unpacked(reference: string): UnpackedImage | undefined {
    const name = normalizeReference(reference)
    return this.#read().find(({ id, names }) => id === reference || (name !== undefined && names.includes(name)))
  }

  directoryOf(id: string): string | undefined {
    const image = this.unpacked(id)
    return image && this.rootOf(image)
  }

  rootOf(image: UnpackedImage): string | undefined {
    return image.root === undefined ? undefined : join(this.#directory, image.root)
  }

  /** Unpacks an image, and gives it its names, which others lose. */
  async load(image: OciImage): Promise<UnpackedImage> {
    const id = image.config.descriptor.digest
    const root = id.slice('sha256:'.length)
    const path = join(this.#directory, root)
    if (!existsSync(path)) {
      const { unpackLayer } = await import('../../images/oci/unpack.ts')
      const unpacking = `${path}.new-${process.pid}`
      rmSync(unpacking, { recursive: true, force: true })
      mkdirSync(unpacking, { recursive: true })
      for (const layer of image.layers) await unpackLayer(layer, unpacking)
      renameSync(unpacking, path)
    }
    const size = image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
    return this.#put({ id, names: image.names, size, root, config: image.parsed.config })
  }

  /**
   * From a registry where one answers; a name that no registry knows stands for an image that brings nothing: its
   * containers run the machine's own programs.
   */
  async pull(reference: string, auth: Parameters<ImageBackend['pull']>[1]): Promise<string> {
    const name = normalizeReference(reference)
    if (name === undefined) throw new Error(`failed to parse image reference ${JSON.stringify(reference)}`)
    const { pullFromRegistry } = await import('../../images/registry.ts')
    const image = await pullFromRegistry(name, auth)
    if (image) return (await this.load(image)).id
    return this.#put({ id: digestOf(Buffer.from(name)), names: [name], size: 1, config: {} }).id
  }

  async remove(reference: string): Promise<void> {
    const image = this.unpacked(reference)
    if (!image) return
    this.#write(this.#read().filter(({ id }) => id !== image.id))
    const root = this.rootOf(image)
    if (root !== undefined) rmSync(root, { recursive: true, force: true })
  }

  usage(): ReturnType<ImageBackend['usage']> {
    const images = this.#read()
    return [
      {
        timestamp: Date.now() * 1e6,
        fsId: { mountpoint: this.#directory },
        usedBytes: { value: images.reduce((sum, { size }) => sum + size, 0) },
        inodesUsed: { value: statfsSync(this.#directory).files - statfsSync(this.#directory).ffree },
      },
    ]
  }

  #put(image: UnpackedImage): UnpackedImage {
    const others = this.#read()
    const same = others.find(({ id }) => id === image.id)
    const names = [...new Set([...(same?.names ?? []), ...image.names])]
    const put = { ...image, names }
    this.#write([
      ...others
        .filter(({ id }) => id !== image.id)
        .map((other) => ({ ...other, names: other.names.filter((name) => !names.includes(name)) })),
      put,
    ])
    return put
  }

  #read(): UnpackedImage[] {
    const path = join(this.#directory, 'index.json')
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as UnpackedImage[]) : []
  }

  #write(images: readonly UnpackedImage[]): void {
    const path = join(this.#directory, 'index.json')
    writeFileSync(`${path}.new`, JSON.stringify(images, null, 2))
    renameSync(`${path}.new`, path)
  }
}

const asImage = ({ id, names, size }: UnpackedImage): Image => ({
  id,
  repoTags: names.filter((name) => !name.includes('@')),
  repoDigests: [],
  size,
  uid: null,
  username: '',
  spec: null,
  pinned: false,
})
