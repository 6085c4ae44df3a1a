import { objectChanges } from '../../api/gantry/object-changes.ts'
import type { ObjectVersion } from '../../api/gantry/object-version.ts'
import { badRequestError } from '../../api/machinery/errors.ts'
import { formatMicroTime } from '../../api/machinery/time.ts'
import type { Scope } from '../handlers/context.ts'
import { integer } from '../handlers/parameters.ts'
import { sendObject } from '../handlers/respond.ts'
import type { Registry } from '../registry/registry.ts'
import { type Commit, Compacted, type Version } from '../storage/store.ts'
import { firstVisible, registryNamed, requireRead } from './access.ts'

const defaultLimit = 50
const mostAtOnce = 500

/** GET …/histories?resource=R&name=N: every version of one object, newest first, who wrote it and what it changed. */
export async function handleHistories(scope: Scope): Promise<void> {
  const { info, server, res, media } = scope
  const registry = registryNamed(scope, info.query.get('resource') ?? '')
  const name = info.query.get('name') ?? ''
  if (name === '') throw badRequestError('name: Required value: say of which object')
  if (registry.resource.namespaced && info.namespace === '') {
    throw badRequestError(`${registry.resource.plural} are in namespaces: ask with …/namespaces/NAMESPACE/histories`)
  }
  await requireRead(scope, registry, name)
  const first = await firstVisible(scope)
  const limit = Math.min(Math.max(integer(info.query, 'limit') ?? defaultLimit, 1), mostAtOnce)
  const before = integer(info.query, 'before')
  const key = registry.key(info.namespace, name)
  // One more than is shown: the last one shown says what it changed too.
  const { versions, more } = await server.past.versions(key, {
    limit: limit + 1,
    ...(before === undefined ? {} : { before }),
  })
  const visible = versions.filter(({ revision }) => revision >= first)
  const shown = visible.slice(0, limit)
  const commits = await Promise.all(shown.map(({ revision }) => commitOf(scope, revision)))
  const withValues = info.query.get('values') !== 'false'
  const items = shown.map((version, i) => shownVersion(registry, version, visible[i + 1], commits[i], withValues))
  sendObject(
    res,
    200,
    {
      kind: 'History',
      apiVersion: 'gantry.dev/v1',
      metadata: { resourceVersion: String(await server.past.revision()) },
      items,
      more: visible.length > limit || (more && visible.length === versions.length),
    },
    media,
  )
}

/** Of the commit that left it; undefined where another program wrote it, or it is from before all that is kept. */
async function commitOf({ server }: Scope, revision: number): Promise<Commit | undefined> {
  try {
    const commit = await server.past.commitAt(revision)
    return commit?.revision === revision ? commit : undefined
  } catch (error) {
    if (error instanceof Compacted) return undefined
    throw error
  }
}

function shownVersion(
  { cache }: Registry,
  { revision, value, createRevision }: Version,
  older: Version | undefined,
  commit: Commit | undefined,
  withValues: boolean,
): ObjectVersion {
  const object = value && cache.codec.decode(value, revision)
  const previous = older?.value && cache.codec.decode(older.value, older.revision)
  const operation = !object ? 'deleted' : createRevision === revision ? 'created' : 'updated'
  const { user, manager, subresource } = commit?.author ?? {}
  return {
    revision: String(revision),
    ...(commit ? { time: formatMicroTime(commit.timeMs) } : {}),
    ...(user ? { user } : {}),
    ...(manager ? { manager } : {}),
    ...(subresource ? { subresource } : {}),
    operation,
    changes: operation === 'updated' && object && previous ? objectChanges(previous, object) : [],
    ...(object && withValues ? { object } : {}),
  }
}
