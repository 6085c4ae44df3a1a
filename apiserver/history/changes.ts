import { badRequestError } from '../../api/machinery/errors.ts'
import { formatMicroTime } from '../../api/machinery/time.ts'
import type { Scope } from '../handlers/context.ts'
import { isTrue } from '../handlers/request-info.ts'
import { storePrefix } from '../registry/codec.ts'
import type { Registry } from '../registry/registry.ts'
import type { Commit, Revision, StoreEvent } from '../storage/store.ts'
import { firstVisible, mayRead, registryNamed, requireRead } from './access.ts'
import { momentAt, momentOf, shownMoment } from './moment.ts'
import { objectsAt } from './past-objects.ts'

const progressMs = 100

interface Line {
  type: 'INITIAL' | 'ADDED' | 'MODIFIED' | 'DELETED' | 'END'
  revision: string
  resource?: string
  [field: string]: unknown
}

/**
 * GET …/changes?from=AT: lines of what was written, oldest first, of the kinds that one may list, with who wrote it; with
 * `initial`, what there was at first. It ends with a line that says so.
 */
export async function handleChanges(scope: Scope): Promise<void> {
  const { info, server, res } = scope
  const { query } = info
  const fromText = query.get('from') ?? ''
  if (fromText === '')
    throw badRequestError('from: Required value: say since when: a revision, or a time ago such as 10m')
  const registries = await readable(scope)
  const from = Math.max((await momentOf(server, 'from', fromText)).revision, await firstVisible(scope))
  const toText = query.get('to') ?? ''
  const to = toText === '' ? await momentAt(server, await server.past.revision()) : await momentOf(server, 'to', toText)
  const withObjects = query.get('objects') !== 'false'
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' })
  const send = async (line: Line) => {
    if (res.write(`${JSON.stringify(line)}\n`) || gone.signal.aborted) return
    await new Promise<void>((resolve) => {
      res.once('drain', resolve)
      gone.signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }
  if (isTrue(query.get('initial'))) {
    for (const registry of registries) {
      for (const { object, revision } of await objectsAt(scope, registry, from)) {
        if (gone.signal.aborted) return
        await send({
          type: 'INITIAL',
          revision: String(revision),
          resource: nameOf(registry),
          object: shown(object, withObjects),
        })
      }
    }
  }
  const commits = commitReader(scope)
  // The stream is cut off: who reads it misses its last line.
  const fail = () => res.destroy()
  for await (const { event, registry } of eventsBetween(scope, registries, from, to.revision, gone.signal, fail)) {
    await send(lineOf(event, registry, await commits(event.revision), withObjects))
  }
  if (gone.signal.aborted) return
  await send({ type: 'END', ...shownMoment(to) })
  res.end()
}

/** The kinds asked for, or all, that one may list here. Throws 403 for one asked for that one may not. */
async function readable(scope: Scope): Promise<Registry[]> {
  const asked = (scope.info.query.get('resource') ?? '').split(',').filter((name) => name !== '')
  if (asked.length > 0) {
    const registries = asked.map((name) => registryNamed(scope, name))
    for (const registry of registries) await requireRead(scope, registry, '')
    return registries
  }
  const stored = scope.server.resources.filter(
    ({ verbs, namespaced }) =>
      verbs.includes('get') && verbs.includes('create') && (namespaced || scope.info.namespace === ''),
  )
  const all = stored.map(({ group, plural }) => scope.server.registry(group, plural))
  const answers = await Promise.all(all.map((registry) => mayRead(scope, registry, '')))
  return all.filter((_, i) => answers[i]?.allowed)
}

async function* eventsBetween(
  { server, info }: Scope,
  registries: readonly Registry[],
  from: Revision,
  to: Revision,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): AsyncGenerator<{ event: StoreEvent; registry: Registry }> {
  if (from >= to) return
  const byPrefix = registries.map((registry) => ({ registry, prefix: storePrefix(registry.resource, info.namespace) }))
  const enough = new AbortController()
  const either = AbortSignal.any([signal, enough.signal])
  // One kind's prefix is all that has to be looked at; with several it is the whole store.
  const [only] = byPrefix
  const watched = byPrefix.length === 1 && only ? only.prefix : '/'
  // Where nothing more comes, only the store can say that that was all.
  const asking = setInterval(() => server.past.requestProgress().catch(onError), progressMs)
  try {
    for await (const batch of server.past.watch(watched, from, either)) {
      if ('progress' in batch) {
        if (batch.progress >= to) return
        continue
      }
      for (const event of batch) {
        if (event.revision > to) return
        const found = byPrefix.find(({ prefix }) => event.key.startsWith(prefix))
        if (found) yield { event, registry: found.registry }
      }
      if ((batch.at(-1)?.revision ?? 0) >= to) return
    }
  } finally {
    clearInterval(asking)
    enough.abort()
  }
}

/** Commits by their revision: the changes of one come together. */
function commitReader({ server }: Scope): (revision: Revision) => Promise<Commit | undefined> {
  let last: Commit | undefined
  return async (revision) => {
    if (last?.revision === revision) return last
    const commit = await server.past.commitAt(revision)
    last = commit?.revision === revision ? commit : undefined
    return last
  }
}

function lineOf(event: StoreEvent, registry: Registry, commit: Commit | undefined, withObjects: boolean): Line {
  const value = event.value ?? event.previous
  const object = value && registry.cache.codec.decode(value, event.revision)
  const { user, manager, subresource } = commit?.author ?? {}
  return {
    type: event.type === 'delete' ? 'DELETED' : event.created ? 'ADDED' : 'MODIFIED',
    resource: nameOf(registry),
    revision: String(event.revision),
    ...(commit ? { time: formatMicroTime(commit.timeMs) } : {}),
    ...(user ? { user } : {}),
    ...(manager ? { manager } : {}),
    ...(subresource ? { subresource } : {}),
    ...(object ? { object: shown(object, withObjects) } : {}),
  }
}

function shown(object: { metadata: { name?: string; namespace?: string; uid?: string } }, whole: boolean): object {
  if (whole) return object
  const { name, namespace, uid } = object.metadata
  return { metadata: { name, ...(namespace ? { namespace } : {}), uid } }
}

const nameOf = ({ resource: { group, plural } }: Registry): string => (group === '' ? plural : `${plural}.${group}`)
