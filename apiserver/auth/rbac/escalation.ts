import { isDeepStrictEqual } from 'node:util'
import type { AggregationRule, PolicyRule } from '../../../api/generated/types.ts'
import { forbiddenError, notFoundError, type StatusError } from '../../../api/machinery/errors.ts'
import { missingRules } from '../../../api/rbac/coverage.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../../admission/types.ts'
import { mastersGroup } from '../groups.ts'
import type { Authorizer, UserInfo } from '../types.ts'
import type { RbacAuthorizer } from './authorizer.ts'
import { type BindingObject, type RoleObject, rbacGroup } from './policy-index.ts'
import { describeRules } from './rules.ts'

const roles = new Set(['roles', 'clusterroles'])
const bindings = new Set(['rolebindings', 'clusterrolebindings'])

const everything: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
]

/**
 * Nobody grants what they do not hold: writing a role needs all of its rules or the verb `escalate` on it, writing a
 * binding all rules of its role or the verb `bind` on that role. Refuses with 403 in upstream's words.
 */
export function createEscalationCheck(rbac: RbacAuthorizer, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    handles: ({ resource, operation, subresource }) =>
      resource.group === rbacGroup &&
      (operation === 'CREATE' || operation === 'UPDATE') &&
      subresource === '' &&
      (roles.has(resource.plural) || bindings.has(resource.plural)),
    async validate(attributes) {
      const { user, resource, old, object } = attributes
      if (user.groups.includes(mastersGroup) || !object) return
      if (old && sameButForCollection(object, old)) return
      if (roles.has(resource.plural)) await checkRole(attributes, rbac, authorizer)
      else await checkBinding(attributes, rbac, authorizer)
    },
  }
}

async function checkRole(attributes: AdmissionAttributes, rbac: RbacAuthorizer, authorizer: Authorizer): Promise<void> {
  const { user, namespace, resource, operation } = attributes
  // A right to escalate a role by its name is none to make one of that name.
  const name = operation === 'CREATE' ? '' : attributes.name
  const ask = { user, verb: 'escalate', group: rbacGroup, resource: resource.plural, subresource: '', path: '' }
  if ((await authorizer.authorize({ ...ask, name, namespace })).allowed) return
  const role = attributes.object as unknown as RoleObject & { aggregationRule?: AggregationRule }
  const held = rbac.policyRules(user, namespace)
  const refuse = (why: string): StatusError =>
    forbiddenError({ group: rbacGroup, resource: resource.plural }, role.metadata.name ?? '', why)
  const missing = missingRules(held, role.rules ?? [])
  if (missing.length > 0) throw refuse(escalationMessage(user, missing))
  // An aggregation may come to hold anything.
  if ((gathers(role) || gathers(attributes.old)) && missingRules(held, everything).length > 0) {
    throw refuse('must have cluster-admin privileges to use the aggregationRule')
  }
}

const gathers = (role: unknown): boolean =>
  ((role as { aggregationRule?: AggregationRule } | undefined)?.aggregationRule?.clusterRoleSelectors ?? []).length > 0

async function checkBinding(
  { user, namespace, resource, object }: AdmissionAttributes,
  rbac: RbacAuthorizer,
  authorizer: Authorizer,
): Promise<void> {
  const binding = object as unknown as BindingObject
  const { kind, name, apiGroup = rbacGroup } = binding.roleRef
  const plural = kind === 'ClusterRole' ? 'clusterroles' : 'roles'
  const ask = { user, verb: 'bind', group: apiGroup, resource: plural, subresource: '', path: '' }
  if ((await authorizer.authorize({ ...ask, name, namespace })).allowed) return
  const granted = rbac.roleRules(binding.roleRef, namespace)
  if (typeof granted === 'string') {
    throw notFoundError({ group: rbacGroup, resource: kind === 'ClusterRole' ? 'clusterroles' : 'roles' }, name)
  }
  const missing = missingRules(rbac.policyRules(user, namespace), granted)
  if (missing.length === 0) return
  throw forbiddenError(
    { group: rbacGroup, resource: resource.plural },
    binding.metadata.name ?? '',
    escalationMessage(user, missing),
  )
}

function escalationMessage({ name, groups }: UserInfo, missing: readonly PolicyRule[]): string {
  const list = groups.map((group) => JSON.stringify(group)).join(' ')
  return `user ${JSON.stringify(name)} (groups=[${list}]) is attempting to grant RBAC permissions not currently held:\n${describeRules(missing).join('\n')}`
}

/** The garbage collector, which holds no roles, must be able to take owners and finalizers away. */
function sameButForCollection(object: object, old: object): boolean {
  const plain = (whole: object) => {
    const { metadata, ...rest } = whole as { metadata: Record<string, unknown> }
    const { ownerReferences: _, finalizers: __, managedFields: ___, ...meta } = metadata
    return { ...rest, metadata: meta }
  }
  return isDeepStrictEqual(plain(object), plain(old))
}
