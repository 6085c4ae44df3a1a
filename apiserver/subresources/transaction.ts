import {
  alreadyExistsError,
  badRequestError,
  conflictError,
  invalidError,
  modifiedMessage,
  StatusError,
} from '../../api/machinery/errors.ts'
import { required } from '../../api/machinery/field-errors.ts'
import { type AnyObject, parseApiVersion } from '../../api/machinery/object.ts'
import { forbiddenRequest } from '../auth/forbidden.ts'
import type { AuthorizationAttributes } from '../auth/types.ts'
import { readBody } from '../handlers/body.ts'
import { type Endpoint, fieldManagerOf, type Scope } from '../handlers/context.ts'
import { fieldValidationOf, fromWire, parseBody } from '../handlers/decode-body.ts'
import { isDryRun } from '../handlers/parameters.ts'
import { applyMerge } from '../handlers/patch.ts'
import { sendObject } from '../handlers/respond.ts'
import type { Registry } from '../registry/registry.ts'
import type { CachedObject } from '../registry/watch-cache.ts'
import { authorOf, type PreparedWrite, type WriteOptions, type Written } from '../registry/write.ts'
import { type Change, Conflict } from '../storage/store.ts'

/** One step of a transaction, as the request gives it. */
interface Operation {
  operation: 'create' | 'update' | 'apply' | 'delete'
  object: AnyObject
}

const operations = ['create', 'update', 'apply', 'delete']
/** Objects in one transaction: an etcd transaction holds 128 changes by default, and services bring more than one. */
const maxOperations = 100
const maxAttempts = 16

/**
 * POST /apis/gantry.dev/v1/transactions: creates, updates, applies and deletes several objects, all or nothing, at one
 * revision. Each step is authorized, admitted and validated as if it came alone; the first refusal refuses the whole.
 */
export async function handleTransaction(scope: Scope): Promise<void> {
  const { req, info, server } = scope
  const { value } = parseBody(await readBody(req, 16 << 20), req.headers['content-type'], scope.endpoint.schema)
  const steps = parseSteps(value)
  const dryRun = isDryRun(info.query)
  const targets = steps.map((step, i) => locate(scope, step, i))
  await Promise.all(targets.map((target) => authorize(scope, target)))
  const author = authorOf({ user: scope.user, fieldManager: fieldManagerOf(scope) })

  for (let attempt = 1; ; attempt++) {
    const prepared: PreparedWrite[] = []
    for (const target of targets) prepared.push(await prepare(scope, target, dryRun))
    const changes: Change[] = prepared.flatMap((write) => write.changes)
    try {
      let revision = server.feed.revision
      const amendments = prepared.flatMap((write) => write.amendments)
      if (dryRun && amendments.length === 0) revision = 0
      else if (changes.length > 0) revision = await server.committer.commit(changes, amendments, dryRun, author)
      answer(
        scope,
        targets,
        prepared.map((write) => write.finish(revision)),
        revision,
      )
      return
    } catch (error) {
      if (!(error instanceof Conflict)) throw error
      // Somebody else wrote one of them in between: decide everything anew, from what is there now.
      if (attempt >= maxAttempts)
        throw conflictError({ group: 'gantry.dev', resource: 'transactions' }, error.key, modifiedMessage)
      await server.feed.catchUp()
    }
  }
}

interface Target extends Operation {
  index: number
  endpoint: Endpoint
  namespace: string
  name: string
}

function parseSteps(value: unknown): Operation[] {
  const { spec } = (value ?? {}) as { spec?: { operations?: unknown } }
  const list = spec?.operations
  const kind = { group: 'gantry.dev', kind: 'Transaction' }
  if (!Array.isArray(list) || list.length === 0) {
    throw invalidError(kind, '', [
      required('spec.operations', 'name at least one operation: {"operation": "apply", "object": {…}}'),
    ])
  }
  if (list.length > maxOperations) {
    throw badRequestError(`spec.operations: Too many: ${list.length}: must have at most ${maxOperations} items`)
  }
  return list.map((step: Partial<Operation> | null, i) => {
    const operation = step?.operation ?? 'apply'
    if (!operations.includes(operation)) {
      throw badRequestError(
        `spec.operations[${i}].operation: Unsupported value: ${JSON.stringify(operation)}: supported values: ${operations.map((o) => JSON.stringify(o)).join(', ')}`,
      )
    }
    const object = step?.object
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      throw invalidError(kind, '', [required(`spec.operations[${i}].object`)])
    }
    if (typeof object.apiVersion !== 'string' || typeof object.kind !== 'string') {
      throw invalidError(kind, '', [required(`spec.operations[${i}].object`, 'apiVersion and kind must be set')])
    }
    object.metadata ??= {}
    return { operation, object }
  })
}

function locate({ server }: Scope, step: Operation, index: number): Target {
  const { group, version } = parseApiVersion(step.object.apiVersion as string)
  const endpoint = server.endpointOfKind(group, version, step.object.kind as string)
  if (!endpoint) {
    throw badRequestError(
      `spec.operations[${index}].object: no kind ${JSON.stringify(step.object.kind)} is served in version ${JSON.stringify(step.object.apiVersion)}`,
    )
  }
  const { metadata } = step.object
  const name = metadata.name ?? ''
  if (name === '' && !(step.operation === 'create' && metadata.generateName)) {
    throw invalidError({ group: 'gantry.dev', kind: 'Transaction' }, '', [
      required(`spec.operations[${index}].object.metadata.name`),
    ])
  }
  return {
    ...step,
    index,
    endpoint,
    name,
    namespace: endpoint.resource.namespaced ? metadata.namespace || 'default' : '',
  }
}

const verbs: Record<Operation['operation'], string[]> = {
  create: ['create'],
  update: ['update'],
  apply: ['patch', 'create'],
  delete: ['delete'],
}

async function authorize({ server, user }: Scope, target: Target): Promise<void> {
  for (const verb of verbs[target.operation]) {
    const attributes: AuthorizationAttributes = {
      user,
      verb,
      group: target.endpoint.group,
      resource: target.endpoint.resource.plural,
      subresource: '',
      namespace: target.namespace,
      name: verb === 'create' ? '' : target.name,
      path: '',
    }
    const decision = await server.authorizer.authorize(attributes)
    if (!decision.allowed) throw at(target, forbiddenRequest(attributes, decision.reason))
  }
}

async function prepare(scope: Scope, target: Target, dryRun: boolean): Promise<PreparedWrite> {
  const { server, user, warn } = scope
  const { endpoint, namespace, name, operation } = target
  const { registry } = endpoint
  const options: WriteOptions = {
    user,
    nowMs: server.now(),
    dryRun,
    fieldManager: fieldManagerOf(scope),
    apiVersion: endpoint.apiVersion,
    warn,
  }
  const sent = structuredClone(target.object)
  try {
    const current = await standing(registry, namespace, name)
    switch (operation) {
      case 'create':
        if (current) throw alreadyExistsError(registry.of, name)
        return await registry.prepareCreate(namespace, decode(scope, endpoint, sent), options)
      case 'update': {
        const found = current ?? (await registry.get(namespace, name))
        return await registry.prepareUpdate(namespace, name, found, () => decode(scope, endpoint, sent), options)
      }
      case 'delete': {
        const found = current ?? (await registry.get(namespace, name))
        const { uid, resourceVersion } = sent.metadata
        const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) }
        return await registry.prepareDelete(namespace, name, found, { preconditions }, options)
      }
      case 'apply':
        return await prepareApply(scope, target, current, sent, options)
    }
  } catch (error) {
    throw error instanceof StatusError ? at(target, error) : error
  }
}

function decode({ info, warn }: Scope, endpoint: Endpoint, object: AnyObject): AnyObject {
  return fromWire(endpoint, object, { mode: fieldValidationOf(info.query), warn })
}

async function prepareApply(
  scope: Scope,
  { endpoint, namespace, name }: Target,
  current: CachedObject | undefined,
  applied: AnyObject,
  options: WriteOptions,
): Promise<PreparedWrite> {
  // For the warnings: the merge itself speaks of nothing it drops.
  decode(scope, endpoint, structuredClone(applied))
  const merge = applyMerge(endpoint, () => structuredClone(applied), options, scope.info.query.get('force') === 'true')
  if (current) return endpoint.registry.prepareUpdate(namespace, name, current, merge, options)
  return endpoint.registry.prepareCreate(namespace, await merge(undefined), options)
}

async function standing(registry: Registry, namespace: string, name: string): Promise<CachedObject | undefined> {
  if (name === '') return undefined
  try {
    return await registry.get(namespace, name)
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return undefined
    throw error
  }
}

/** The same refusal, saying which step it is about. */
function at({ index, endpoint, name }: Target, error: StatusError): StatusError {
  return new StatusError(
    error.code,
    error.reason,
    `nothing was changed: operation ${index} (${endpoint.resource.kind} ${JSON.stringify(name)}): ${error.message}`,
    error.details,
  )
}

function answer(
  { res, media }: Scope,
  targets: readonly Target[],
  written: readonly Written[],
  revision: number,
): void {
  const results = written.map(({ object, outcome }, i) => ({
    operation: (targets[i] as Target).operation,
    outcome,
    object: { ...object, apiVersion: targets[i]?.endpoint.apiVersion, kind: targets[i]?.endpoint.resource.kind },
  }))
  sendObject(
    res,
    200,
    {
      kind: 'Transaction',
      apiVersion: 'gantry.dev/v1',
      metadata: { resourceVersion: String(revision) },
      status: { results },
    },
    media,
  )
}
