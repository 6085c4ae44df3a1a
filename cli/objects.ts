import type { ObjectMeta } from '../api/generated/types.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { pathOf } from '../client/client.ts'
import { resourceName, type ServedKind } from './kinds.ts'
import type { Table } from './print/table.ts'
import type { Session } from './session.ts'

export type NamedObject = AnyObject & { metadata: ObjectMeta & { name: string } }

/** Which objects of a kind. Without a namespace: of all. */
export interface Selection {
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  chunkSize?: number | undefined
  /** As they were then: a revision, a time ago, or a time. */
  at?: string | undefined
}

export const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

const metadataListType = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

/**
 * Of all objects at a path what they are called and belong to; a refusal is thrown. Warnings are not shown: it is for looking
 * around, and nobody has named the kind.
 */
export async function listMetadata(
  session: Session,
  path: string,
  query: Record<string, string> = {},
): Promise<NamedObject[]> {
  const headers = { accept: metadataListType }
  // Of none, upstream's servers say null.
  const { items } = await session.json<{ items: NamedObject[] | null }>('GET', path, {
    query,
    headers,
    quiet: true,
  })
  return items ?? []
}

/** The namespace a kind's objects are looked for in; undefined for those that have none. */
export const namespaceFor = (session: Session, kind: ServedKind, all = false): string | undefined =>
  kind.namespaced && !all ? session.namespace : undefined

/** What of an object is read, and as of when. */
interface Reading {
  /** As it was then: a revision, a time ago, or a time. */
  at?: string | undefined
  subresource?: string | undefined
}

/** One object, as it is or as it was, or a part of it; a refusal is thrown. */
export function getObject(
  session: Session,
  kind: ServedKind,
  name: string,
  namespace?: string,
  reading: Reading = {},
): Promise<NamedObject> {
  const { path, query } = readingOf(kind, namespace, reading, name)
  return session.json<NamedObject>('GET', path, { query })
}

/** Where objects are read, now or as they were. */
export function readingOf(
  kind: ServedKind,
  namespace: string | undefined,
  { at, subresource }: Reading,
  name?: string,
): { path: string; query: Record<string, string> } {
  if (at === undefined) return { path: pathOf(kind, namespace, name, subresource), query: {} }
  return {
    path: historyPath('pastobjects', namespace),
    query: { resource: resourceName(kind), at, ...(name === undefined ? {} : { name }) },
  }
}

/** A resource of the store's history, in a namespace or over all of them. */
export const historyPath = (resource: string, namespace: string | undefined): string =>
  pathOf({ group: 'gantry.dev', version: 'v1', kind: '', plural: resource, namespaced: true }, namespace)

/** All objects, page by page, each with its apiVersion and kind; `onVersion` is told which version of the list it is. */
export async function listObjects(
  session: Session,
  kind: ServedKind,
  selection: Selection,
  onVersion?: (resourceVersion: string) => void,
): Promise<NamedObject[]> {
  const found: NamedObject[] = []
  await eachPage<{ items?: NamedObject[]; metadata?: { continue?: string; resourceVersion?: string } }>(
    session,
    kind,
    selection,
    'application/json',
    (page) => {
      onVersion?.(page.metadata?.resourceVersion ?? '')
      for (const item of page.items ?? [])
        found.push({
          apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version,
          ...item,
          kind: kind.kind,
        })
    },
  )
  return found
}

/** The server's table of the objects. */
export async function listTable(
  session: Session,
  kind: ServedKind,
  selection: Selection,
  includeObject: 'Metadata' | 'Object' = 'Metadata',
): Promise<Table> {
  const whole: Table = { kind: 'Table', rows: [] }
  await eachPage<Table>(
    session,
    kind,
    selection,
    tableType,
    (page) => {
      whole.columnDefinitions ??= page.columnDefinitions ?? []
      whole.metadata = page.metadata ?? {}
      whole.rows?.push(...(page.rows ?? []))
    },
    { includeObject },
  )
  return whole
}

/** A query of a list or a watch. */
export function selectionQuery(selection: Selection, more: Record<string, string> = {}): Record<string, string> {
  return {
    ...(selection.labelSelector ? { labelSelector: selection.labelSelector } : {}),
    ...(selection.fieldSelector ? { fieldSelector: selection.fieldSelector } : {}),
    ...more,
  }
}

async function eachPage<P extends { metadata?: { continue?: string } }>(
  session: Session,
  kind: ServedKind,
  selection: Selection,
  accept: string,
  take: (page: P) => void,
  more: Record<string, string> = {},
): Promise<void> {
  const { chunkSize = 500 } = selection
  const { path, query } = readingOf(kind, selection.namespace, selection)
  for (let next: string | undefined = ''; next !== undefined; ) {
    const page: P = await session.json<P>('GET', path, {
      query: selectionQuery(selection, {
        ...query,
        ...more,
        ...(chunkSize > 0 ? { limit: String(chunkSize) } : {}),
        ...(next ? { continue: next } : {}),
      }),
      headers: { accept },
    })
    take(page)
    next = page.metadata?.continue || undefined
  }
}
