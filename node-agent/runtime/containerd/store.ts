import { randomUUID } from 'node:crypto'
import { Client, credentials, Metadata, type ServiceDefinition, type ServiceError } from '@grpc/grpc-js'
import { CriError, criCodes } from '../cri.ts'
import { readServices } from '../grpc.ts'
import storeProto from '../proto/containerd-store.proto?raw'

/** Content named by its digest, as OCI describes it. */
export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  annotations?: Record<string, string>
}

export interface StoredImage {
  name: string
  labels: Record<string, string>
  target: Descriptor
}

export interface SnapshotMount {
  type: string
  source: string
  target: string
  options: string[]
}

/**
 * containerd's store of blobs, images and snapshots, in the namespace that its Container Runtime Interface uses. What is
 * written inside `withLease` is safe from collection until the lease ends.
 */
export interface ContainerdStore {
  withLease<T>(work: () => Promise<T>): Promise<T>
  has(digest: string): Promise<boolean>
  labels(digest: string): Promise<Record<string, string>>
  /** Adds labels to a blob: `containerd.io/gc.ref.…` ones keep what it refers to. */
  label(digest: string, labels: Record<string, string>): Promise<void>
  /** Stores a blob, checked against its digest; what is there already is not sent again. */
  write(blob: Descriptor, content: AsyncIterable<Uint8Array>, labels?: Record<string, string>): Promise<void>
  read(digest: string): AsyncIterable<Uint8Array>
  images(): Promise<StoredImage[]>
  image(name: string): Promise<StoredImage | undefined>
  /** Makes the name, or points it elsewhere. */
  putImage(image: { name: string; target: Descriptor; labels?: Record<string, string> }): Promise<void>
  removeImage(name: string): Promise<void>
  snapshotExists(key: string): Promise<boolean>
  prepareSnapshot(key: string, parent: string, labels?: Record<string, string>): Promise<SnapshotMount[]>
  viewSnapshot(key: string, parent: string, labels?: Record<string, string>): Promise<SnapshotMount[]>
  snapshotMounts(key: string): Promise<SnapshotMount[]>
  snapshotParent(key: string): Promise<string>
  commitSnapshot(name: string, key: string): Promise<void>
  removeSnapshot(key: string): Promise<void>
  applyLayer(layer: Descriptor, mounts: SnapshotMount[]): Promise<void>
  /** Stores what `right` has beyond `left` as an uncompressed layer. */
  diff(left: SnapshotMount[], right: SnapshotMount[]): Promise<Descriptor>
  close(): void
}

export const snapshotter = 'overlayfs'
/** Below gRPC's 4 MiB, and large enough that the round trips do not count. */
const chunkBytes = 1024 * 1024
const unansweredWrites = 8
const leaseHours = 1

/** Connects to containerd at `unix:///…`. */
export function openStore(endpoint: string): ContainerdStore {
  const services = readServices(storeProto)
  const client = new Client(endpoint, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
  })
  const methods = (name: string, wire: string) => renamed(services(`containerd.services.${name}`), wire)
  const content = methods('Content', 'content.v1.Content')
  const images = methods('Images', 'images.v1.Images')
  const leases = methods('Leases', 'leases.v1.Leases')
  const snapshots = methods('Snapshots', 'snapshots.v1.Snapshots')
  const diffs = methods('Diff', 'diff.v1.Diff')
  const leaseIds: string[] = []

  const metadata = () => {
    const headers = new Metadata()
    headers.set('containerd-namespace', 'k8s.io')
    const lease = leaseIds.at(-1)
    if (lease !== undefined) headers.set('containerd-lease', lease)
    return headers
  }
  const call = <T>(service: ServiceDefinition, name: string, request: object): Promise<T> => {
    const { path, requestSerialize, responseDeserialize } = service[name]!
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata(), (error, answer) => {
        if (error) reject(refusal(name, error))
        else resolve(answer as T)
      })
    })
  }
  const found = async <T>(asked: Promise<T>): Promise<T | undefined> => {
    try {
      return await asked
    } catch (error) {
      if (error instanceof CriError && error.code === 'notFound') return undefined
      throw error
    }
  }
  const info = (digest: string) =>
    found(call<{ info: { labels: Record<string, string> } }>(content, 'Info', { digest }))

  return {
    async withLease(work) {
      const id = `gantry-${randomUUID()}`
      const expires = new Date(Date.now() + leaseHours * 3_600_000).toISOString()
      await call(leases, 'Create', { id, labels: { 'containerd.io/gc.expire': expires } })
      leaseIds.push(id)
      try {
        return await work()
      } finally {
        leaseIds.splice(leaseIds.indexOf(id), 1)
        await call(leases, 'Delete', { id })
      }
    },
    has: async (digest) => (await info(digest)) !== undefined,
    labels: async (digest) => (await info(digest))?.info.labels ?? {},
    label: async (digest, labels) => {
      const paths = Object.keys(labels).map((name) => `labels.${name}`)
      await call(content, 'Update', { info: { digest, labels }, updateMask: { paths } })
    },
    async write(blob, chunks, labels = {}) {
      if ((await info(blob.digest)) !== undefined) {
        if (Object.keys(labels).length > 0) await this.label(blob.digest, labels)
        return
      }
      const { path, requestSerialize, responseDeserialize } = content.Write!
      const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata())
      // Cancelled, it says so once more, and nobody is listening then.
      stream.on('error', () => {})
      const answers = stream[Symbol.asyncIterator]() as AsyncIterator<{ action: string; offset: number }>
      const send = async (request: object) => {
        const sent = stream.write(request)
        if (!sent) await new Promise((resolve) => stream.once('drain', resolve))
      }
      const ref = `gantry-${randomUUID()}`
      const basis = { ref, total: blob.size, expected: blob.digest }
      try {
        let offset = 0
        let unanswered = 0
        for await (const data of rechunked(chunks)) {
          await send({ ...basis, action: 'WRITE', offset, data })
          offset += data.length
          // Each is answered; a few may be under way.
          if (++unanswered < unansweredWrites) continue
          await answers.next()
          unanswered--
        }
        await send({ ...basis, action: 'COMMIT', offset, labels })
        stream.end()
        for (;;) if ((await answers.next()).done) break
      } catch (error) {
        stream.cancel()
        const refused = refusal('Write', error as ServiceError)
        if (refused.code !== 'alreadyExists') throw refused
      }
    },
    async *read(digest) {
      const { path, requestSerialize, responseDeserialize } = content.Read!
      const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { digest }, metadata())
      try {
        for await (const { data } of stream) yield data as Uint8Array
      } catch (error) {
        throw refusal('Read', error as ServiceError)
      }
    },
    images: async () => (await call<{ images: StoredImage[] }>(images, 'List', {})).images,
    image: async (name) => (await found(call<{ image: StoredImage }>(images, 'Get', { name })))?.image,
    async putImage(image) {
      const updated = await found(
        call<object>(images, 'Update', { image, updateMask: { paths: ['target', 'labels'] } }),
      )
      if (updated === undefined) await call(images, 'Create', { image })
    },
    removeImage: async (name) => {
      await found(call(images, 'Delete', { name, sync: true }))
    },
    snapshotExists: async (key) => (await found(call(snapshots, 'Stat', { snapshotter, key }))) !== undefined,
    prepareSnapshot: async (key, parent, labels = {}) =>
      (await call<{ mounts: SnapshotMount[] }>(snapshots, 'Prepare', { snapshotter, key, parent, labels })).mounts,
    viewSnapshot: async (key, parent, labels = {}) =>
      (await call<{ mounts: SnapshotMount[] }>(snapshots, 'View', { snapshotter, key, parent, labels })).mounts,
    snapshotMounts: async (key) =>
      (await call<{ mounts: SnapshotMount[] }>(snapshots, 'Mounts', { snapshotter, key })).mounts,
    snapshotParent: async (key) =>
      (await call<{ info: { parent: string } }>(snapshots, 'Stat', { snapshotter, key })).info.parent,
    commitSnapshot: async (name, key) => {
      await call(snapshots, 'Commit', { snapshotter, name, key })
    },
    removeSnapshot: async (key) => {
      await found(call(snapshots, 'Remove', { snapshotter, key }))
    },
    applyLayer: async (diff, mounts) => {
      await call(diffs, 'Apply', { diff, mounts })
    },
    diff: async (left, right) => {
      const mediaType = 'application/vnd.oci.image.layer.v1.tar'
      const ref = `gantry-diff-${randomUUID()}`
      return (await call<{ diff: Descriptor }>(diffs, 'Diff', { left, right, mediaType, ref })).diff
    },
    close: () => client.close(),
  }
}

/** Our messages stand in one package; on the wire each service has its own. */
const renamed = (service: ServiceDefinition, wire: string): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      { ...method, path: `/containerd.services.${wire}/${name}` },
    ]),
  )

const refusal = (method: string, error: ServiceError) =>
  new CriError(method, criCodes[error.code] ?? 'unknown', error.details || error.message)

async function* rechunked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += chunkBytes) yield chunk.subarray(at, at + chunkBytes)
  }
}
