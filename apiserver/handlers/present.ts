import { type AnyObject, apiVersionOf } from '../../api/machinery/object.ts'
import type { Column, Resource, ServedVersion } from '../../api/machinery/resource.ts'
import type { CachedObject } from '../registry/watch-cache.ts'
import type { Revision } from '../storage/store.ts'
import type { MediaType } from './negotiate.ts'

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** The list's own metadata. */
export interface ListInfo {
  revision: Revision | string
  continue?: string
  remaining?: number
}

/** Turns cached objects into the bytes of an answer: as they are, in another version, as a table, or metadata alone. */
export interface Presenter {
  one(object: CachedObject): Buffer
  /** Parts of a list's body, to be sent one after the other. */
  list(objects: readonly CachedObject[], info: ListInfo): Iterable<Buffer>
  /** One line of a watch. */
  frame(type: WatchEventType, object: CachedObject, header: boolean): Buffer
  bookmark(revision: Revision, endOfInitialEvents: boolean): Buffer
  /** The first event of a watch carries something the others do not. */
  hasHeader: boolean
}

const comma = Buffer.from(',')
const listEnd = Buffer.from(']}\n')
const frameEnd = Buffer.from('}\n')
const frameHeads = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
}

/** The presenter for a kind, the version asked for (undefined: the storage version) and a media type. */
export function presenterFor(
  resource: Resource,
  served: ServedVersion | undefined,
  media: MediaType,
  includeObject: string,
  now: () => number,
): Presenter {
  if (media.as === 'Table') return tablePresenter(resource, served, media, includeObject, now)
  if (media.as === 'PartialObjectMetadata') return metadataPresenter(media)
  const group = served?.group ?? resource.group
  const apiVersion = apiVersionOf(group, served?.version ?? resource.version)
  const bytesOf = served
    ? (object: CachedObject) => Buffer.from(JSON.stringify(served.fromStorage(object.object)))
    : (object: CachedObject) => object.bytes
  return byBytes(bytesOf, apiVersion, resource.kind, resource.listKind)
}

function byBytes(
  bytesOf: (object: CachedObject) => Buffer,
  apiVersion: string,
  kind: string,
  listKind: string,
): Presenter {
  return {
    hasHeader: false,
    one: bytesOf,
    *list(objects, info) {
      yield Buffer.from(
        `{"kind":${JSON.stringify(listKind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${listMetadata(info)},"items":[`,
      )
      let first = true
      for (const object of objects) {
        if (!first) yield comma
        first = false
        yield bytesOf(object)
      }
      yield listEnd
    },
    frame: (type, object) => Buffer.concat([frameHeads[type], bytesOf(object), frameEnd]),
    bookmark: (revision, end) => bookmarkFrame(kind, apiVersion, revision, end),
  }
}

function metadataPresenter(media: MediaType): Presenter {
  const apiVersion = `meta.k8s.io/${media.asVersion}`
  const bytesOf = ({ object }: CachedObject) =>
    Buffer.from(JSON.stringify({ kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata }))
  return byBytes(bytesOf, apiVersion, 'PartialObjectMetadata', 'PartialObjectMetadataList')
}

function tablePresenter(
  resource: Resource,
  served: ServedVersion | undefined,
  media: MediaType,
  includeObject: string,
  now: () => number,
): Presenter {
  const apiVersion = `meta.k8s.io/${media.asVersion}`
  const columns: readonly Column[] = served?.columns ?? resource.columns ?? nameAndAge
  const definitions = JSON.stringify(
    columns.map(({ name, type, format, description, priority }) => ({
      name,
      type,
      format: format ?? '',
      description: description ?? '',
      priority: priority ?? 0,
    })),
  )
  const head = (info: ListInfo | undefined, withColumns: boolean) =>
    `{"kind":"Table","apiVersion":"${apiVersion}","metadata":${info ? listMetadata(info) : '{}'},"columnDefinitions":${withColumns ? definitions : 'null'},"rows":[`
  const row = (cached: CachedObject, nowMs: number) => {
    const { object } = cached
    const shown = served ? served.fromStorage(object) : object
    const cells = columns.map((column) => column.value(shown, nowMs))
    const attached =
      includeObject === 'None'
        ? ''
        : includeObject === 'Object'
          ? `,"object":${JSON.stringify(shown)}`
          : `,"object":${JSON.stringify({ kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata })}`
    return `{"cells":${JSON.stringify(cells)}${attached}}`
  }
  return {
    hasHeader: true,
    one(object) {
      const info = { revision: object.revision }
      return Buffer.from(`${head(info, true)}${row(object, now())}]}\n`)
    },
    *list(objects, info) {
      yield Buffer.from(head(info, true))
      const nowMs = now()
      let block = ''
      for (const [i, object] of objects.entries()) {
        block += i === 0 ? row(object, nowMs) : `,${row(object, nowMs)}`
        if (block.length > 64 << 10) {
          yield Buffer.from(block)
          block = ''
        }
      }
      yield Buffer.from(`${block}]}\n`)
    },
    frame(type, object, header) {
      const info = { revision: object.revision }
      return Buffer.from(`{"type":"${type}","object":${head(info, header)}${row(object, now())}]}}\n`)
    },
    bookmark(revision, end) {
      const object: AnyObject = bookmarkObject(
        resource.kind,
        apiVersionOf(resource.group, resource.version),
        revision,
        end,
      )
      return Buffer.from(
        `{"type":"BOOKMARK","object":${head({ revision }, false)}{"cells":[],"object":${JSON.stringify({ ...object, kind: 'PartialObjectMetadata', apiVersion })}}]}}\n`,
      )
    },
  }
}

function listMetadata(info: ListInfo): string {
  return JSON.stringify({
    resourceVersion: String(info.revision),
    ...(info.continue ? { continue: info.continue } : {}),
    ...(info.remaining !== undefined && info.remaining > 0 ? { remainingItemCount: info.remaining } : {}),
  })
}

function bookmarkObject(kind: string, apiVersion: string, revision: Revision, end: boolean): AnyObject {
  const annotations = end ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  return { kind, apiVersion, metadata: { resourceVersion: String(revision), ...annotations } }
}

function bookmarkFrame(kind: string, apiVersion: string, revision: Revision, end: boolean): Buffer {
  return Buffer.from(
    `{"type":"BOOKMARK","object":${JSON.stringify(bookmarkObject(kind, apiVersion, revision, end))}}\n`,
  )
}

/** For kinds that bring no columns of their own. */
const nameAndAge: readonly Column[] = [
  { name: 'Name', type: 'string', format: 'name', value: (object) => object.metadata.name ?? '' },
  { name: 'Created At', type: 'date', value: (object) => object.metadata.creationTimestamp ?? '' },
]
