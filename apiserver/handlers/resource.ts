import type { DeleteOptions } from '../../api/generated/types.ts'
import { methodNotAllowedError, methodNotSupportedError, type StatusError } from '../../api/machinery/errors.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Verb } from '../../api/machinery/resource.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { storePrefix } from '../registry/codec.ts'
import { type ListAnswer, list, requireVersion } from '../registry/list.ts'
import { checkName } from '../registry/object-rules.ts'
import type { CachedObject } from '../registry/watch-cache.ts'
import type { WriteRules } from '../registry/write.ts'
import { readBody } from './body.ts'
import { type Scope, writeOptions } from './context.ts'
import { decodeAs, decodeBody, parseBody } from './decode-body.ts'
import { inVersion } from './in-version.ts'
import { negotiate } from './negotiate.ts'
import { includeObjectOf, integer, isDryRun } from './parameters.ts'
import { handlePatch } from './patch.ts'
import { presenterFor } from './present.ts'
import { sendObject, sendParts } from './respond.ts'
import { parseSelection } from './selection.ts'
import { asCached, sendCached, sendWritten } from './send.ts'
import { serveWatch } from './serve-watch.ts'

/** Answers a request on a kind itself (no subresource, or status where there is nothing special about it). */
export async function handleResource(scope: Scope): Promise<void> {
  const { info, endpoint } = scope
  const verb = info.verb as Verb
  if (!endpoint.resource.verbs.includes(verb)) throw methodNotAllowedError()
  switch (verb) {
    case 'get':
      return handleGet(scope)
    case 'list':
      return handleList(scope)
    case 'watch':
      return serveWatch(scope)
    case 'create':
      return handleCreate(scope)
    case 'update':
      return handleUpdate(scope)
    case 'patch':
      return handlePatch(scope)
    case 'delete':
      return handleDelete(scope)
    case 'deletecollection':
      return handleDeleteCollection(scope)
    default:
      throw methodNotSupportedError(endpoint.registry.of, verb satisfies never)
  }
}

/** The status subresource: read, replaced or patched like the object itself. */
export function handleStatus(scope: Scope): Promise<void> {
  return handlePart(scope, 'status')
}

/** A subresource that is a view of the object with rules of its own for what a write may change. */
export async function handlePart(scope: Scope, subresource: string, rules?: WriteRules): Promise<void> {
  switch (scope.info.verb) {
    case 'get':
      return handleGet(scope)
    case 'update':
      return handleUpdate(scope, subresource, rules)
    case 'patch':
      return handlePatch(scope, subresource, rules)
    default:
      throw methodNotSupportedError(scope.endpoint.registry.of, scope.info.verb)
  }
}

async function handleGet(scope: Scope): Promise<void> {
  const { endpoint, info, server } = scope
  const version = info.query.get('resourceVersion') ?? ''
  if (version !== '') await requireVersion(server.feed, version)
  const found = await endpoint.registry.get(info.namespace, info.name, version !== '')
  await sendCached(scope, 200, found)
}

async function handleList(scope: Scope): Promise<void> {
  const { endpoint, info, server, media } = scope
  const { answer, objects } = await selected(scope)
  const presenter = presenterFor(endpoint.resource, endpoint.served, media, includeObjectOf(info.query), server.now)
  await sendParts(scope.res, 200, presenter.list(await shown(scope, objects), answer), media)
}

/** The objects that a list or deletecollection is about. */
async function selected({
  endpoint,
  info,
  server,
}: Scope): Promise<{ answer: ListAnswer; objects: readonly CachedObject[] }> {
  const { query } = info
  const { resource, registry } = endpoint
  const { matches } = parseSelection(resource, query, '')
  // What somebody outside makes has its fields only once it is made.
  const isLate = resource.convert !== undefined && (query.get('fieldSelector') ?? '') !== ''
  const answer = await list(registry.cache, server.feed, server.store, {
    prefix: storePrefix(resource, info.namespace),
    matches: isLate ? undefined : matches,
    limit: isLate ? 0 : (integer(query, 'limit') ?? 0),
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
  })
  if (!isLate) return { answer, objects: answer.objects }
  const made = await inVersion(endpoint, answer.objects)
  return { answer, objects: matches ? made.filter(matches) : made }
}

const shown = ({ endpoint, media }: Scope, objects: readonly CachedObject[]) =>
  endpoint.resource.convert && media.as !== 'PartialObjectMetadata' ? inVersion(endpoint, objects) : objects

async function handleCreate(scope: Scope): Promise<void> {
  const { endpoint, info, req, server } = scope
  const object = decodeBody(scope, await readBody(req))
  const dryRun = isDryRun(info.query)
  const review = server.reviews.get(`${endpoint.resource.group}/${endpoint.resource.plural}`)
  if (review) {
    // A review is no list entry: there is no table of it.
    negotiate(req.headers.accept, false)
    const { apiVersion, resource } = endpoint
    sendObject(scope.res, 201, { ...(await review(object, scope)), apiVersion, kind: resource.kind }, scope.media)
    return
  }
  const written = await endpoint.registry.create(info.namespace, object, writeOptions(scope, dryRun))
  await sendWritten(scope, 201, written)
}

async function handleUpdate(scope: Scope, subresource = '', rules?: WriteRules): Promise<void> {
  const { endpoint, info, req } = scope
  const body = await readBody(req)
  const options = writeOptions(scope, isDryRun(info.query))
  if (subresource !== '') options.subresource = subresource
  if (rules) options.rules = rules
  // Decoded once for the checks and warnings; a retry after a conflict needs an object of its own.
  const object = decodeBody(scope, body)
  // Asked before there is an object of the name: what has none of its own cannot be found.
  checkName(info.name, object.metadata)
  let used = false
  const written = await endpoint.registry.update(
    info.namespace,
    info.name,
    () => {
      const next = used ? decodeBody({ ...scope, warn: () => {} }, body) : object
      used = true
      return next
    },
    options,
    subresource === '' && endpoint.resource.strategy.createOnUpdate === true,
  )
  await sendWritten(scope, written.outcome === 'created' ? 201 : 200, written)
}

async function handleDelete(scope: Scope): Promise<void> {
  const { endpoint, info, res, media } = scope
  const { deletion, dryRun } = await deleteOptionsOf(scope)
  const written = await endpoint.registry.delete(info.namespace, info.name, deletion, writeOptions(scope, dryRun))
  if (written.outcome !== 'deleted') {
    const accepted = deletion.orphanDependents === false
    await sendWritten(scope, accepted ? 202 : 200, written)
    return
  }
  if (endpoint.resource.strategy.returnDeleted) {
    await sendWritten(scope, 200, written)
    return
  }
  const { resource } = endpoint
  const details = {
    name: info.name,
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
    uid: written.object.metadata.uid,
  }
  sendObject(res, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }, media)
}

async function handleDeleteCollection(scope: Scope): Promise<void> {
  const { endpoint, info, server, media } = scope
  const { query } = info
  const { deletion, dryRun } = await deleteOptionsOf(scope)
  const { answer, objects } = await selected(scope)
  const gone: CachedObject[] = []
  // A few at a time: they share commits, and one slow refusal does not hold the rest.
  const queue = objects.values()
  let refused: StatusError | undefined
  const worker = async () => {
    for (const { object } of queue) {
      if (refused) return
      const name = object.metadata.name ?? ''
      try {
        const written = await endpoint.registry.delete(
          object.metadata.namespace ?? '',
          name,
          { ...deletion },
          writeOptions(scope, dryRun),
        )
        gone.push(asCached(written))
      } catch (error) {
        if ((error as StatusError).code === 404) continue
        refused ??= error as StatusError
      }
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  if (refused) throw refused
  const presenter = presenterFor(endpoint.resource, endpoint.served, media, includeObjectOf(query), server.now)
  await sendParts(scope.res, 200, presenter.list(await shown(scope, gone), answer), media)
}

/** Delete options from the body, else from the query. Throws 400. */
export async function deleteOptionsOf(scope: Scope): Promise<{ deletion: DeleteOptions; dryRun: boolean }> {
  const { req, info } = scope
  const body = await readBody(req)
  const { query } = info
  let deletion: DeleteOptions
  if (body.length > 0) {
    const schema = builtinSchema('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions')
    const { value } = parseBody(body, req.headers['content-type'], schema)
    deletion = decodeAs(schema, value, 'DeleteOptions', 'v1', { mode: 'Ignore' }) as DeleteOptions
    delete (deletion as Partial<AnyObject>).metadata
  } else {
    const grace = integer(query, 'gracePeriodSeconds')
    const policy = query.get('propagationPolicy')
    const orphan = query.get('orphanDependents')
    const dryRun = query.getAll('dryRun')
    deletion = {
      ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
      ...(policy ? { propagationPolicy: policy } : {}),
      ...(orphan ? { orphanDependents: orphan === 'true' } : {}),
      ...(dryRun.length > 0 ? { dryRun } : {}),
    }
  }
  return { deletion, dryRun: (deletion.dryRun?.length ?? 0) > 0 || isDryRun(query) }
}
