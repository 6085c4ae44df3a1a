import type { Status } from '../api/generated/types.ts'
import { StatusError } from '../api/machinery/errors.ts'
import { pathOf } from '../client/client.ts'
import type { ServedKind } from './kinds.ts'
import { type Selection, selectionQuery, tableType } from './objects.ts'
import type { Session } from './session.ts'

interface WatchHandling<T> {
  /** What is known already. */
  resourceVersion: string
  /** Ask for tables, whose rows have so much of their objects. */
  table?: 'Metadata' | 'Object'
  /** Called with each change; true ends the watch. */
  onEvent(type: string, object: T): boolean
}

/**
 * Follows the objects of a kind until `onEvent` returns true, the signal fires, or the server says that it cannot go on
 * from there. A watch that the server ends in the ordinary way is taken up again.
 */
export async function watchKind<T>(
  session: Session,
  kind: ServedKind,
  selection: Selection,
  { resourceVersion, table, onEvent }: WatchHandling<T>,
): Promise<void> {
  let version = resourceVersion
  for (;;) {
    const answer = await session.raw('GET', pathOf(kind, selection.namespace), {
      query: selectionQuery(selection, {
        watch: 'true',
        resourceVersion: version,
        allowWatchBookmarks: 'true',
        ...(table ? { includeObject: table } : {}),
      }),
      ...(table ? { headers: { accept: tableType } } : {}),
      stream: true,
    })
    let rest = ''
    answer.setEncoding('utf8')
    for await (const chunk of answer as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line === '') continue
        const event = JSON.parse(line) as { type: string; object: unknown }
        if (event.type === 'ERROR') {
          const { code = 500, reason = 'Unknown', message = '' } = event.object as Status
          throw new StatusError(code, reason, message)
        }
        version = versionOf(event.object) ?? version
        if (event.type !== 'BOOKMARK' && onEvent(event.type, event.object as T)) {
          answer.destroy()
          return
        }
      }
    }
  }
}

/** Of an object, or of the one in the only row of a table. */
function versionOf(object: unknown): string | undefined {
  const { metadata, rows } = object as {
    metadata?: { resourceVersion?: string }
    rows?: { object?: { metadata?: { resourceVersion?: string } } }[]
  }
  return rows?.[0]?.object?.metadata?.resourceVersion || metadata?.resourceVersion || undefined
}
