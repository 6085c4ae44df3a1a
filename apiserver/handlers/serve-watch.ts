import { badRequestError, invalidError } from '../../api/machinery/errors.ts'
import { forbidden } from '../../api/machinery/field-errors.ts'
import { maxTimerMs } from '../../api/machinery/timers.ts'
import { storePrefix } from '../registry/codec.ts'
import { parseVersion, requireVersion } from '../registry/list.ts'
import type { CachedObject } from '../registry/watch-cache.ts'
import type { Revision } from '../storage/store.ts'
import type { Endpoint, Scope } from './context.ts'
import { includeObjectOf, integer } from './parameters.ts'
import { presenterFor } from './present.ts'
import { isTrue } from './request-info.ts'
import { parseSelection } from './selection.ts'
import { wantsSocket } from './upgrade.ts'

/** Serves a watch by upstream's rules for resourceVersion, sendInitialEvents, bookmarks and timeouts. */
export async function serveWatch(scope: Scope): Promise<void> {
  const { endpoint, info, server, media, req, res, upgradeHead } = scope
  const { query } = info
  if (media.format !== 'json') throw badRequestError('a watch is served as application/json only')
  const selection = parseSelection(endpoint.resource, query, info.name)
  const bookmarks = isTrue(query.get('allowWatchBookmarks'))
  const version = query.get('resourceVersion') ?? ''
  const sendInitial = initialEvents(query, bookmarks)
  // Watchers of the whole cluster are the common case and need no prefix.
  const prefix = storePrefix(endpoint.resource, info.namespace)
  const matches =
    info.namespace === ''
      ? (selection.matches ?? everything)
      : (object: CachedObject) => object.key.startsWith(prefix) && (selection.matches?.(object) ?? true)
  const includeObject = includeObjectOf(query)
  const presenter = presenterFor(endpoint.resource, endpoint.served, media, includeObject, server.now)

  const fromNow = sendInitial === true || ((version === '' || version === '0') && sendInitial !== false)
  if (fromNow || version === '') await requireVersion(server.feed, version === '0' ? '0' : version)
  const { cache, hub, feed } = await followed(endpoint, server.feed)
  const timeoutSeconds = integer(query, 'timeoutSeconds')
  const from = fromNow || version === '' || version === '0' ? undefined : (parseVersion(version) as number)
  // From here on nothing is refused: what is would no longer reach the client as a status.
  const target = wantsSocket(req, upgradeHead)
    ? await (await import('./watch-socket.ts')).openWatchSocket(req, res, upgradeHead)
    : res
  const over = hub.serve(
    target,
    {
      key: JSON.stringify([
        info.namespace,
        selection.key,
        endpoint.apiVersion,
        media.as,
        media.asVersion,
        includeObject,
      ]),
      matches,
      presenter,
    },
    {
      initial: fromNow ? cache.range(prefix).filter(matches) : undefined,
      after: from ?? feed.revision,
      bookmarks,
      initialEndBookmark: sendInitial === true && bookmarks,
      timeoutMs: Math.min((timeoutSeconds || server.minRequestTimeoutSeconds * (1 + Math.random())) * 1000, maxTimerMs),
    },
  )
  await over
}

/** What the watch follows: the kind's own cache, or one that somebody outside has to fill. */
async function followed({ registry, hub, view }: Endpoint, feed: { readonly revision: Revision }) {
  if (!view) return { cache: registry.cache, hub, feed }
  const made = await view()
  await made.settle()
  return { cache: made.cache, hub: made.hub, feed: made }
}

const everything = (_object: CachedObject): boolean => true

/** sendInitialEvents; undefined when the request does not speak of it. Throws 422. */
function initialEvents(query: URLSearchParams, bookmarks: boolean): boolean | undefined {
  const match = query.get('resourceVersionMatch') ?? ''
  const text = query.get('sendInitialEvents')
  const refuse = (field: string, why: string) =>
    invalidError({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [forbidden(field, why)])
  if (text === null || text === '') {
    if (match !== '')
      throw refuse(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      )
    return undefined
  }
  if (match !== 'NotOlderThan') {
    throw refuse('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  }
  const wanted = isTrue(text)
  if (wanted && !bookmarks) {
    throw refuse('allowWatchBookmarks', 'sendInitialEvents requires allowWatchBookmarks')
  }
  return wanted
}
