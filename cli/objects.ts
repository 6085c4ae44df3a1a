import type { ObjectMeta } from '../api/generated/types.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { pathOf } from '../client/client.ts'
import type { ServedKind } from './kinds.ts'
import type { Table } from './print/table.ts'
import type { Session } from './session.ts'

export type NamedObject = AnyObject & { metadata: ObjectMeta & { name: string } }

/** Which objects of a kind. Without a namespace: of all. */
export interface Selection {
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  chunkSize?: number | undefined
}

export const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

/** The namespace a kind's objects are looked for in; undefined for those that have none. */
export const namespaceFor = (session: Session, kind: ServedKind, all = false): string | undefined =>
  kind.namespaced && !all ? session.namespace : undefined

/** One object; a refusal is thrown. */
export const getObject = (session: Session, kind: ServedKind, name: string, namespace?: string): Promise<NamedObject> =>
  session.json<NamedObject>('GET', pathOf(kind, namespace, name))

/** All objects, page by page, each with its apiVersion and kind. */
export async function listObjects(session: Session, kind: ServedKind, selection: Selection): Promise<NamedObject[]> {
  const found: NamedObject[] = []
  await eachPage<{ items?: NamedObject[]; metadata?: { continue?: string } }>(
    session,
    kind,
    selection,
    'application/json',
    (page) => {
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
  for (let next: string | undefined = ''; next !== undefined; ) {
    const page: P = await session.json<P>('GET', pathOf(kind, selection.namespace), {
      query: selectionQuery(selection, {
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
