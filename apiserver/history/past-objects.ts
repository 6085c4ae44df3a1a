import { badRequestError, notFoundError } from '../../api/machinery/errors.ts'
import type { Scope } from '../handlers/context.ts'
import { includeObjectOf } from '../handlers/parameters.ts'
import { presenterFor } from '../handlers/present.ts'
import { sendBytes, sendParts } from '../handlers/respond.ts'
import { parseSelection } from '../handlers/selection.ts'
import { storePrefix } from '../registry/codec.ts'
import type { Registry } from '../registry/registry.ts'
import { CachedObject } from '../registry/watch-cache.ts'
import type { Entry, Revision } from '../storage/store.ts'
import { registryNamed, requireRead, requireVisible } from './access.ts'
import { momentOf } from './moment.ts'

/** GET …/pastobjects?resource=R&at=AT: what a list of the kind, or a get of one by `name`, would have answered then. */
export async function handlePastObjects(scope: Scope): Promise<void> {
  const { info, server, res, media } = scope
  const registry = registryNamed(scope, info.query.get('resource') ?? '')
  const name = info.query.get('name') ?? ''
  const text = info.query.get('at') ?? ''
  if (text === '') throw badRequestError('at: Required value: say when: a revision, or a time ago such as 10m')
  await requireRead(scope, registry, name)
  const moment = await momentOf(server, 'at', text)
  await requireVisible(scope, moment.revision)
  const { resource } = registry
  // Ages are those of that moment.
  const then = () => moment.timeMs ?? server.now()
  const presenter = presenterFor(resource, undefined, media, includeObjectOf(info.query), then)
  if (name !== '') {
    const entry = await server.past.get(registry.key(info.namespace, name), moment.revision)
    if (!entry) throw notFoundError(registry.of, name)
    sendBytes(res, 200, presenter.one(cachedOf(registry, entry)), media)
    return
  }
  const { matches } = parseSelection(resource, info.query, '')
  const all = await objectsAt(scope, registry, moment.revision)
  const chosen = matches ? all.filter(matches) : all
  await sendParts(res, 200, presenter.list(chosen, { revision: moment.revision }), media)
}

/** All objects of a kind in the request's namespace, or everywhere, as they were. */
export async function objectsAt({ server, info }: Scope, registry: Registry, at: Revision): Promise<CachedObject[]> {
  const { entries } = await server.past.list(storePrefix(registry.resource, info.namespace), { at })
  return entries.map((entry) => cachedOf(registry, entry))
}

function cachedOf({ cache }: Registry, { key, modRevision, value }: Entry): CachedObject {
  return new CachedObject(key, modRevision, cache.codec.splice(value, modRevision))
}
