import { badRequestError, forbiddenError, notFoundError } from '../../api/machinery/errors.ts'
import { forbiddenRequest } from '../auth/forbidden.ts'
import type { AuthorizationAttributes } from '../auth/types.ts'
import type { Scope } from '../handlers/context.ts'
import { storeKey } from '../registry/codec.ts'
import type { Registry } from '../registry/registry.ts'
import type { Revision } from '../storage/store.ts'

/** The kind that a request's `resource` names: `deployments.apps`. Throws 400. */
export function registryNamed({ server, info }: Scope, named: string): Registry {
  if (named === '') throw badRequestError('resource: Required value: say which kind, such as resource=deployments.apps')
  const dot = named.indexOf('.')
  const [plural, group] = dot < 0 ? [named, ''] : [named.slice(0, dot), named.slice(dot + 1)]
  const resource = server.resources.find((each) => each.group === group && each.plural === plural)
  if (!resource?.verbs.includes('get'))
    throw badRequestError(
      `resource: Invalid value: ${JSON.stringify(named)}: no such kind is stored here; it is written like pods or deployments.apps`,
    )
  if (info.namespace !== '' && !resource.namespaced) {
    throw badRequestError(`resource: Invalid value: ${JSON.stringify(named)}: is not in a namespace: ask without one`)
  }
  return server.registry(group, plural)
}

/** Whether who asks may read the objects themselves: all of a kind, or the one that is named. */
export async function mayRead(
  { server, user, info }: Scope,
  { resource }: Registry,
  name: string,
): Promise<{ allowed: boolean; attributes: AuthorizationAttributes; reason: string }> {
  const attributes: AuthorizationAttributes = {
    user,
    verb: name === '' ? 'list' : 'get',
    group: resource.group,
    resource: resource.plural,
    subresource: '',
    namespace: info.namespace,
    name,
    path: '',
  }
  return { attributes, ...(await server.authorizer.authorize(attributes)) }
}

/** Throws 403 unless {@link mayRead}. */
export async function requireRead(scope: Scope, registry: Registry, name: string): Promise<void> {
  const { allowed, attributes, reason } = await mayRead(scope, registry, name)
  if (!allowed) throw forbiddenRequest(attributes, reason)
}

/**
 * The first revision that who asks may see. A namespace that was deleted and made again may have been somebody else's:
 * what was in it before is for those who may see all namespaces.
 */
export async function firstVisible({ server, user, info }: Scope): Promise<Revision> {
  if (info.namespace === '') return 0
  const everywhere = await server.authorizer.authorize({
    user,
    verb: info.verb,
    group: info.group,
    resource: info.resource,
    subresource: '',
    namespace: '',
    name: '',
    path: '',
  })
  if (everywhere.allowed) return 0
  const namespaces = server.registry('', 'namespaces')
  const entry = await server.past.get(storeKey(namespaces.resource, '', info.namespace))
  if (!entry) throw notFoundError(namespaces.of, info.namespace)
  return entry.createRevision
}

/** Throws 403 for a moment before {@link firstVisible}. */
export async function requireVisible(scope: Scope, revision: Revision): Promise<void> {
  const first = await firstVisible(scope)
  if (revision >= first) return
  const { group, resource, namespace } = scope.info
  throw forbiddenError(
    { group, resource },
    '',
    `the namespace ${JSON.stringify(namespace)} was made at revision ${first}; what was there before is for those who may list ${resource} in all namespaces`,
  )
}
