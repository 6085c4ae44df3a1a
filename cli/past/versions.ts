import type { FieldChange } from '../../api/gantry/object-changes.ts'
import { resourceName, type ServedKind } from '../kinds.ts'
import { historyPath, type NamedObject } from '../objects.ts'
import type { Session } from '../session.ts'

/** One version of an object, as the server tells it. */
export interface ObjectVersion {
  revision: string
  time?: string
  user?: string
  manager?: string
  subresource?: string
  operation: 'created' | 'updated' | 'deleted'
  changes: FieldChange[]
  object?: NamedObject
}

const pageSize = 100

/** The versions of an object, newest first, as many as are asked for. */
export async function* versionsOf(
  session: Session,
  kind: ServedKind,
  name: string,
  namespace: string | undefined,
  values: boolean,
): AsyncGenerator<ObjectVersion> {
  for (let before: string | undefined = ''; before !== undefined; ) {
    const page: { items: ObjectVersion[]; more: boolean } = await session.json(
      'GET',
      historyPath('histories', namespace),
      {
        query: {
          resource: resourceName(kind),
          name,
          limit: String(pageSize),
          values: String(values),
          ...(before ? { before } : {}),
        },
      },
    )
    yield* page.items
    before = page.more ? page.items.at(-1)?.revision : undefined
  }
}

/** Whether a version only says how it goes: what is wanted stayed as it was. */
export const isStatusOnly = ({ operation, subresource, changes }: ObjectVersion): boolean =>
  operation === 'updated' &&
  // What its controller notes in annotations on that occasion is how it goes, too.
  (subresource === 'status' || changes.every(({ path }) => path === 'status' || path.startsWith('status.')))
