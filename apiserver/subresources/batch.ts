import { type BatchItem, type BatchResult, maxBatchItems } from '../../api/gantry/batch.ts'
import { badRequestError } from '../../api/machinery/errors.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import { readBody } from '../handlers/body.ts'
import { type Scope, writeOptions } from '../handlers/context.ts'
import { checkKind, fieldValidationOf, fromWire, parseBody } from '../handlers/decode-body.ts'
import { isDryRun } from '../handlers/parameters.ts'
import { authorize, checkScope } from '../handlers/pipeline.ts'
import { parseRequestInfo } from '../handlers/request-info.ts'
import { sendObject, toStatusError } from '../handlers/respond.ts'
import { bindPod } from './binding.ts'

/**
 * POST /apis/gantry.dev/v1/batches: creates several objects, and binds pods, each by itself: authorized, admitted,
 * validated and answered as if it came alone. What a request costs beside that is paid once, and what is written shares
 * one commit to disk. A transaction is something else: all or nothing.
 */
export async function handleBatch(scope: Scope): Promise<void> {
  const { req, res, media, endpoint } = scope
  const { value } = parseBody(await readBody(req, 16 << 20), req.headers['content-type'], endpoint.schema)
  const items = itemsOf(value)
  const results = await Promise.all(items.map((item) => answerOne(scope, item)))
  sendObject(res, 200, { kind: 'Batch', apiVersion: 'gantry.dev/v1', metadata: {}, results }, media)
}

function itemsOf(value: unknown): BatchItem[] {
  const { items } = (value ?? {}) as { items?: unknown }
  if (!Array.isArray(items) || items.length === 0) {
    throw badRequestError(
      'items: Required value: name at least one: {"path": "/api/v1/namespaces/NS/events", "object": {…}}',
    )
  }
  if (items.length > maxBatchItems) {
    throw badRequestError(`items: Too many: ${items.length}: must have at most ${maxBatchItems} items`)
  }
  return items as BatchItem[]
}

async function answerOne(scope: Scope, item: BatchItem): Promise<BatchResult> {
  try {
    return await createOne(scope, item)
  } catch (error) {
    const status = toStatusError(error)
    return { code: status.code, status: status.toStatus() }
  }
}

async function createOne(batch: Scope, item: BatchItem): Promise<BatchResult> {
  const { path, object } = (item ?? {}) as Partial<BatchItem>
  const { server, user } = batch
  const info = typeof path === 'string' ? parseRequestInfo('POST', path) : undefined
  const endpoint = info && server.endpoint(info.group, info.version, info.resource)
  if (!info || !endpoint) throw badRequestError(`path: Invalid value: ${JSON.stringify(path)}: no kind is served there`)
  await authorize(server, user, info)
  checkScope(info, endpoint)
  const scope = { ...batch, info, endpoint }
  if (info.resource === 'pods' && info.subresource === 'binding') {
    await bindPod(scope, object)
    return { code: 201 }
  }
  const of = `${endpoint.resource.group}/${endpoint.resource.plural}`
  const isStored = !server.reviews.has(of) && !server.subresources.has(`${of}/`)
  if (info.subresource !== '' || info.name !== '' || !isStored || !endpoint.resource.verbs.includes('create')) {
    throw badRequestError(`path: Invalid value: ${JSON.stringify(path)}: a batch creates objects and binds pods`)
  }
  const sent = checkKind(object, endpoint.apiVersion, endpoint.resource.kind)
  const decoded = fromWire(endpoint, sent, { mode: fieldValidationOf(info.query), warn: scope.warn })
  const written = await endpoint.registry.create(info.namespace, decoded, writeOptions(scope, isDryRun(info.query)))
  return { code: 201, metadata: identityOf(written.object) }
}

function identityOf({ metadata }: AnyObject): NonNullable<BatchResult['metadata']> {
  const { name, namespace, uid, resourceVersion } = metadata
  return {
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  }
}
