import type { Scope, SubresourceHandler } from '../handlers/context.ts'
import { sendObject } from '../handlers/respond.ts'
import { handleChanges } from './changes.ts'
import { beginning, momentAt, momentOf, shownMoment } from './moment.ts'
import { handlePastObjects } from './past-objects.ts'
import { handleHistories } from './versions.ts'

/** What serves the store's history, by `group/plural/`. */
export const historyHandlers: Record<string, SubresourceHandler> = {
  'gantry.dev/moments/': handleMoments,
  'gantry.dev/histories/': unlessBare('History', 'resource=deployments.apps&name=web', handleHistories),
  'gantry.dev/pastobjects/': unlessBare('PastObject', 'resource=pods&at=10m', handlePastObjects),
  'gantry.dev/changes/': unlessBare('Change', 'from=10m', handleChanges),
}

const questions = ['resource', 'name', 'at', 'from', 'to', 'before']

/**
 * Whoever lists all there is, kind by kind, says nothing of what he wants to know: an empty list and a hint are more use to
 * him than a refusal.
 */
function unlessBare(kind: string, example: string, handler: SubresourceHandler): SubresourceHandler {
  return async (scope) => {
    const { info, res, media, server, warn } = scope
    if (questions.some((name) => info.query.has(name))) return handler(scope)
    warn(`this is worked out when it is asked for: say of what, such as ?${example}`)
    const metadata = { resourceVersion: String(server.feed.revision) }
    sendObject(res, 200, { kind: `${kind}List`, apiVersion: 'gantry.dev/v1', metadata, items: [] }, media)
  }
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
