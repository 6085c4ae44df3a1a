import type { AnyObject } from '../../api/machinery/object.ts'
import { apiVersionOf } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import type { Revision } from '../storage/store.ts'

/**
 * Objects lie in the store as JSON without a resourceVersion, beginning with kind, apiVersion and metadata in that
 * order. So the version can be spliced in at a known offset, and an object is sent without being parsed.
 */
export interface Codec {
  /** The bytes to store. The object's own kind, apiVersion and resourceVersion do not matter. */
  encode(object: AnyObject): Buffer
  /**
   * What the bytes were encoded from, if that was here and they are still in use. It holds as long as nobody has had the
   * chance to change it: until the writer is told that its commit stands.
   */
  encodedFrom(stored: Buffer): AnyObject | undefined
  /** Stored bytes and their revision, as the bytes to send. */
  splice(stored: Buffer, revision: Revision): Buffer
  /** Stored bytes as an object with its resourceVersion. */
  decode(stored: Buffer, revision: Revision): AnyObject
  /** Whether the bytes to send were stored in another version: a write that changes nothing else brings them up to date. */
  isOutdated(bytes: Buffer): boolean
}

export function createCodec(resource: Resource): Codec {
  const apiVersion = apiVersionOf(resource.group, resource.version)
  const head = Buffer.from(
    `{"kind":${JSON.stringify(resource.kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{`,
  )
  const sources = new WeakMap<Buffer, AnyObject>()
  const outdated = new WeakSet<Buffer>()
  const { fromStore } = resource
  return {
    encode(object) {
      const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object
      const { resourceVersion: _version, selfLink: _link, ...meta } = metadata
      const bytes = Buffer.from(JSON.stringify({ kind: resource.kind, apiVersion, metadata: meta, ...rest }))
      sources.set(bytes, object)
      return bytes
    },
    encodedFrom: (stored) => sources.get(stored),
    splice(stored, revision) {
      if (stored.length < head.length || head.compare(stored, 0, head.length) !== 0) {
        // Written by other hands (a restored backup, an older layout): slower, and right.
        const bytes = Buffer.from(JSON.stringify(this.decode(stored, revision)))
        if (fromStore) outdated.add(bytes)
        return bytes
      }
      // What was written here just now is in form.
      if (fromStore && !sources.has(stored)) return inOrder(this.decode(stored, revision))
      const version = `"resourceVersion":"${revision}",`
      const bytes = Buffer.allocUnsafeSlow(stored.length + version.length)
      head.copy(bytes)
      bytes.write(version, head.length, 'latin1')
      stored.copy(bytes, head.length + version.length, head.length)
      return bytes
    },
    decode(stored, revision) {
      let object = JSON.parse(stored.toString()) as AnyObject
      if (fromStore) object = fromStore(object)
      object.metadata.resourceVersion = String(revision)
      return object
    },
    isOutdated: (bytes) => outdated.has(bytes),
  }
}

const inOrder = ({ kind, apiVersion, metadata: { resourceVersion, ...metadata }, ...rest }: AnyObject): Buffer =>
  Buffer.from(JSON.stringify({ kind, apiVersion, metadata: { resourceVersion, ...metadata }, ...rest }))

/** `/configmaps/default/web`: where an object lies in the store. */
export function storeKey(resource: Resource, namespace: string, name: string): string {
  return resource.namespaced ? `${resource.storagePrefix}/${namespace}/${name}` : `${resource.storagePrefix}/${name}`
}

/** The prefix of all objects of a kind, or of a namespace. */
export function storePrefix(resource: Resource, namespace: string): string {
  return resource.namespaced && namespace !== ''
    ? `${resource.storagePrefix}/${namespace}/`
    : `${resource.storagePrefix}/`
}
