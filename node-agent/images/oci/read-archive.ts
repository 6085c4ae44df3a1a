import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { normalizeReference } from '../reference.ts'
import {
  type Blob,
  bytesBlob,
  type Descriptor,
  digestOf,
  type ImageConfig,
  type Manifest,
  mediaTypes,
  type OciImage,
  ownPlatform,
  readBlob,
} from './image.ts'
import { openTar, type TarFile } from './tar-index.ts'

export interface ImageArchive {
  images: OciImage[]
  /** Closes the file: blobs cannot be read afterwards. */
  close(): Promise<void>
}

interface DockerManifest {
  Config: string
  RepoTags: string[] | null
  Layers: string[]
}

const dockerManifestType = 'application/vnd.docker.distribution.manifest.v2+json'
const containerdName = 'io.containerd.image.name'
const ociName = 'org.opencontainers.image.ref.name'

/**
 * The images of an archive, OCI or as `docker save` writes it, compressed or not, from a file or a stream; of images for
 * several platforms, this machine's. Throws an Error that says why it is no such archive.
 */
export async function readArchive(source: string | Readable): Promise<ImageArchive> {
  const { path, dispose } = await plainFile(source)
  let tar: TarFile | undefined
  try {
    tar = await openTar(path)
    const opened = tar
    const images = tar.entries.has('index.json') ? await ociImages(tar) : await dockerImages(tar)
    return {
      images,
      async close() {
        await opened.close()
        await dispose()
      },
    }
  } catch (error) {
    await tar?.close()
    await dispose()
    throw error
  }
}

/** The archive as an uncompressed file, which is what it mostly is. */
async function plainFile(source: string | Readable): Promise<{ path: string; dispose(): Promise<void> }> {
  const nothing = async () => {}
  if (typeof source === 'string' && !(await isGzip(source))) return { path: source, dispose: nothing }
  const directory = await mkdtemp(join(tmpdir(), 'gantry-image-'))
  const dispose = () => rm(directory, { recursive: true, force: true })
  try {
    let path = join(directory, 'archive')
    if (typeof source !== 'string') await pipeline(source, createWriteStream(path))
    else path = source
    if (!(await isGzip(path))) return { path, dispose }
    const plain = join(directory, 'plain')
    await pipeline(createReadStream(path), createGunzip(), createWriteStream(plain))
    return { path: plain, dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0)
  await file.close()
  return buffer[0] === 0x1f && buffer[1] === 0x8b
}

async function json<T>(tar: TarFile, name: string): Promise<T> {
  return JSON.parse((await readBlob({ open: () => tar.read(name) })).toString()) as T
}

const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`

async function ociImages(tar: TarFile): Promise<OciImage[]> {
  const { manifests } = await json<{ manifests: Descriptor[] }>(tar, 'index.json')
  const byConfig = new Map<string, string[]>()
  if (tar.entries.has('manifest.json')) {
    for (const { Config, RepoTags } of await json<DockerManifest[]>(tar, 'manifest.json')) {
      byConfig.set(Config.replace(/^blobs\/sha256\//, 'sha256:'), RepoTags ?? [])
    }
  }
  const images = new Map<string, OciImage>()
  for (const descriptor of manifests) {
    const image = await ociImage(tar, descriptor)
    if (!image) continue
    const { annotations = {} } = descriptor
    const named = annotations[containerdName] ?? annotations[ociName]
    // Some write only a tag there, which names nothing.
    const own =
      named !== undefined && /[/:]/.test(named) ? [named] : (byConfig.get(image.config.descriptor.digest) ?? [])
    const before = images.get(image.manifest.descriptor.digest)
    image.names = [...new Set([...(before?.names ?? []), ...own.flatMap((name) => normalizeReference(name) ?? [])])]
    images.set(image.manifest.descriptor.digest, image)
  }
  return [...images.values()]
}

/** Undefined: it is for another platform, or something that is not an image, such as an attestation. */
async function ociImage(tar: TarFile, descriptor: Descriptor): Promise<OciImage | undefined> {
  const blob = (found: Descriptor): Blob => ({ descriptor: found, open: () => tar.read(blobPath(found.digest)) })
  if (!tar.entries.has(blobPath(descriptor.digest))) return undefined
  const bytes = await readBlob(blob(descriptor))
  const parsed = JSON.parse(bytes.toString()) as Manifest & { manifests?: Descriptor[] }
  if (parsed.manifests) {
    const { os, architecture } = ownPlatform()
    const own = parsed.manifests.find(
      ({ platform }) => platform === undefined || (platform.os === os && platform.architecture === architecture),
    )
    return own && ociImage(tar, own)
  }
  const config = JSON.parse((await readBlob(blob(parsed.config))).toString()) as ImageConfig
  if (!config.rootfs) return undefined
  return {
    names: [],
    manifest: bytesBlob(descriptor.mediaType || mediaTypes.manifest, bytes),
    config: blob(parsed.config),
    layers: parsed.layers.map(blob),
    parsed: config,
  }
}

async function dockerImages(tar: TarFile): Promise<OciImage[]> {
  if (!tar.entries.has('manifest.json')) {
    throw new Error('it is neither an OCI archive (no index.json) nor one of docker save (no manifest.json)')
  }
  const manifests = await json<DockerManifest[]>(tar, 'manifest.json')
  return Promise.all(
    manifests.map(async ({ Config, RepoTags, Layers }) => {
      const bytes = await readBlob({ open: () => tar.read(Config) })
      const parsed = JSON.parse(bytes.toString()) as ImageConfig
      const config = bytesBlob('application/vnd.docker.container.image.v1+json', bytes)
      const layers = await Promise.all(Layers.map((path) => dockerLayer(tar, path)))
      const manifest: Manifest = {
        schemaVersion: 2,
        mediaType: dockerManifestType,
        config: config.descriptor,
        layers: layers.map(({ descriptor }) => descriptor),
      }
      return {
        names: (RepoTags ?? []).flatMap((name) => normalizeReference(name) ?? []),
        manifest: bytesBlob(dockerManifestType, Buffer.from(JSON.stringify(manifest))),
        config,
        layers,
        parsed,
      }
    }),
  )
}

async function dockerLayer(tar: TarFile, path: string): Promise<Blob> {
  const hash = createHash('sha256')
  let size = 0
  let magic: Uint8Array = new Uint8Array()
  for await (const chunk of tar.read(path)) {
    if (size === 0) magic = chunk.subarray(0, 2)
    hash.update(chunk)
    size += chunk.length
  }
  const isGzip = magic[0] === 0x1f && magic[1] === 0x8b
  const mediaType = `application/vnd.docker.image.rootfs.diff.tar${isGzip ? '.gzip' : ''}`
  const digest = size === 0 ? digestOf(new Uint8Array()) : `sha256:${hash.digest('hex')}`
  return { descriptor: { mediaType, digest, size }, open: () => tar.read(path) }
}
