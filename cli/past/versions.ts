import type { ObjectVersion as Told } from '../../api/gantry/object-version.ts'
import { resourceName, type ServedKind } from '../kinds.ts'
import { historyPath, type NamedObject } from '../objects.ts'
import type { Session } from '../session.ts'

export type ObjectVersion = Told<NamedObject>

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
