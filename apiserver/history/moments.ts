import type { Scope, SubresourceHandler } from '../handlers/context.ts'
import { sendObject } from '../handlers/respond.ts'
import { handleChanges } from './changes.ts'
import { beginning, momentAt, momentOf, shownMoment } from './moment.ts'
import { handlePastObjects } from './past-objects.ts'
import { handleHistories } from './versions.ts'

/** What serves the store's history, by `group/plural/`. */
export const historyHandlers: Record<string, SubresourceHandler> = {
  'gantry.dev/moments/': handleMoments,
  'gantry.dev/histories/': handleHistories,
  'gantry.dev/pastobjects/': handlePastObjects,
  'gantry.dev/changes/': handleChanges,
}

/** GET …/moments: how far history reaches; with `at`, the moment that means. */
async function handleMoments({ server, info, res, media }: Scope): Promise<void> {
  const { past } = server
  const at = info.query.get('at') ?? ''
  const asked = at === '' ? [] : [await momentOf(server, 'at', at)]
  const newest = await past.revision()
  sendObject(
    res,
    200,
    {
      kind: 'MomentList',
      apiVersion: 'gantry.dev/v1',
      metadata: { resourceVersion: String(newest) },
      oldest: shownMoment(await beginning(server)),
      newest: shownMoment(await momentAt(server, newest)),
      items: asked.map(shownMoment),
    },
    media,
  )
}
