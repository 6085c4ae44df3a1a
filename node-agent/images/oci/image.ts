import { createHash } from 'node:crypto'

/** Content named by its digest. */
export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  annotations?: Record<string, string>
  platform?: Platform
}

export interface Platform {
  architecture: string
  os: string
  variant?: string
}

export interface Manifest {
  schemaVersion: 2
  mediaType: string
  config: Descriptor
  layers: Descriptor[]
  annotations?: Record<string, string>
}

/** The parts of an image's configuration that we read or write; what else there is stays in its bytes. */
export interface ImageConfig {
  created?: string
  architecture: string
  os: string
  config?: {
    User?: string
    ExposedPorts?: Record<string, object>
    Env?: string[]
    Entrypoint?: string[] | null
    Cmd?: string[] | null
    WorkingDir?: string
    Labels?: Record<string, string>
    StopSignal?: string
  }
  rootfs: { type: 'layers'; diff_ids: string[] }
  history?: { created?: string; created_by?: string; comment?: string; empty_layer?: boolean }[]
}

export interface Blob {
  descriptor: Descriptor
  /** The content, as often as it is asked for. */
  open(): AsyncIterable<Uint8Array>
}

/** One image for one platform, wherever it lies. */
export interface OciImage {
  /** Full names with a registry and a tag. */
  names: string[]
  manifest: Blob
  config: Blob
  layers: Blob[]
  parsed: ImageConfig
}

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const

/**
 * Makes an image of a configuration and of layers. Those are uncompressed tars, known to the configuration by their
 * digests; of a compressed one, `diffId` says what it would be called otherwise.
 */
export function makeImage(
  names: readonly string[],
  config: Omit<ImageConfig, 'rootfs'>,
  layers: readonly Blob[],
  diffId: (layer: Blob) => string | undefined = () => undefined,
): OciImage {
  const parsed: ImageConfig = {
    ...config,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => diffId(layer) ?? layer.descriptor.digest) },
  }
  const configBlob = bytesBlob(mediaTypes.config, Buffer.from(JSON.stringify(parsed)))
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: configBlob.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  }
  return {
    names: [...names],
    manifest: bytesBlob(mediaTypes.manifest, Buffer.from(JSON.stringify(manifest))),
    config: configBlob,
    layers: [...layers],
    parsed,
  }
}

export function bytesBlob(mediaType: string, bytes: Uint8Array): Blob {
  return {
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
    async *open() {
      yield bytes
    },
  }
}

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** All of a blob in memory: for manifests and configurations. */
export async function readBlob(blob: Pick<Blob, 'open'>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of blob.open()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** How images call this machine. */
export const ownPlatform = (): Platform => ({
  os: 'linux',
  architecture: { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm' }[process.arch as string] ?? process.arch,
})
