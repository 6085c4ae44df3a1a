import type { ReferencedKind } from '../../../api/core/pod-references.ts'
import { parseFieldSelector } from '../../../api/machinery/fields.ts'
import { nodeOf } from '../groups.ts'
import { nodeRules } from '../rbac/bootstrap.ts'
import { ruleAllows } from '../rbac/rules.ts'
import type { AuthorizationAttributes, Authorizer, Decision, ResolvedRules } from '../types.ts'
import type { NodeGraph } from './node-graph.ts'

const allow: Decision = { allowed: true, reason: '' }
const noOpinion = (reason = ''): Decision => ({ allowed: false, reason })
const noRules: ResolvedRules = { resourceRules: [], nonResourceRules: [], incomplete: false }

/**
 * Lets node agents (system:node:NAME in system:nodes) at their own objects and at what pods on their node need, and at
 * nothing of other nodes. Has no opinion on anyone else.
 */
export function createNodeAuthorizer(graph: NodeGraph): Authorizer {
  const rules = nodeRules()
  const byResource: Record<string, Judge> = {
    '/secrets': (node, asked) => readOne(graph, node, 'secrets', asked),
    '/configmaps': (node, asked) => readOne(graph, node, 'configmaps', asked),
    '/persistentvolumeclaims': (node, asked) =>
      asked.subresource === 'status'
        ? updateStatus(graph, node, 'persistentvolumeclaims', asked)
        : getOne(asked, node, () => graph.refersTo(node, 'persistentvolumeclaims', asked.namespace, asked.name)),
    '/persistentvolumes': (node, asked) => getOne(asked, node, () => graph.usesVolume(node, asked.name)),
    'resource.k8s.io/resourceclaims': (node, asked) =>
      getOne(asked, node, () => graph.refersTo(node, 'resourceclaims', asked.namespace, asked.name)),
    'storage.k8s.io/volumeattachments': (node, asked) =>
      getOne(asked, node, () => graph.hasAttachment(node, asked.name)),
    '/serviceaccounts': (node, asked) => serviceAccount(graph, node, asked),
    'coordination.k8s.io/leases': lease,
    'storage.k8s.io/csinodes': csiNode,
    'resource.k8s.io/resourceslices': (node, asked) => resourceSlice(graph, node, asked),
    '/nodes': ownNode,
    '/pods': (node, asked) => pod(graph, node, asked),
  }
  return {
    authorize(attributes) {
      const node = nodeOf(attributes.user)
      if (node === undefined) return noOpinion()
      if (node === '') return noOpinion(`unknown node for user ${JSON.stringify(attributes.user.name)}`)
      const judge = attributes.path === '' ? byResource[`${attributes.group}/${attributes.resource}`] : undefined
      if (judge) return judge(node, attributes)
      return rules.some((rule) => ruleAllows(rule, attributes)) ? allow : noOpinion()
    },
    rulesFor: (user) =>
      nodeOf(user) === undefined
        ? noRules
        : { ...noRules, incomplete: true, evaluationError: 'node authorizer does not support user rule resolution' },
  }
}

type Judge = (node: string, asked: AuthorizationAttributes) => Decision

function related(node: string, { name }: AuthorizationAttributes, isRelated: () => boolean): Decision {
  if (name === '') return noOpinion('No Object name found')
  return isRelated() ? allow : noOpinion(`no relationship found between node '${node}' and this object`)
}

function readOne(graph: NodeGraph, node: string, kind: ReferencedKind, asked: AuthorizationAttributes): Decision {
  if (!['get', 'list', 'watch'].includes(asked.verb)) return noOpinion('can only read resources of this type')
  if (asked.subresource !== '') return noOpinion('cannot read subresource')
  if (asked.namespace === '') return noOpinion('can only read namespaced object of this type')
  return related(node, asked, () => graph.refersTo(node, kind, asked.namespace, asked.name))
}

function getOne(asked: AuthorizationAttributes, node: string, isRelated: () => boolean): Decision {
  if (asked.verb !== 'get') return noOpinion('can only get individual resources of this type')
  if (asked.subresource !== '') return noOpinion('cannot get subresource')
  return related(node, asked, isRelated)
}

function updateStatus(graph: NodeGraph, node: string, kind: ReferencedKind, asked: AuthorizationAttributes): Decision {
  if (asked.verb !== 'update' && asked.verb !== 'patch') return noOpinion('can only get/update/patch this type')
  return related(node, asked, () => graph.refersTo(node, kind, asked.namespace, asked.name))
}

function serviceAccount(graph: NodeGraph, node: string, asked: AuthorizationAttributes): Decision {
  const { verb, name, subresource, namespace } = asked
  if (verb === 'get' && subresource === '') return readOne(graph, node, 'serviceaccounts', asked)
  if (verb !== 'create' || name === '') return noOpinion('can only create tokens for individual service accounts')
  if (subresource !== 'token') return noOpinion('can only create token subresource of serviceaccount')
  return related(node, asked, () => graph.refersTo(node, 'serviceaccounts', namespace, name))
}

const ownVerbs = new Set(['get', 'create', 'update', 'patch', 'delete'])
const leaseNamespace = 'kube-node-lease'

/** The name of a new object is not known here: NodeRestriction sees to it. */
function lease(node: string, { verb, namespace, name }: AuthorizationAttributes): Decision {
  if (!ownVerbs.has(verb)) return noOpinion('can only get, create, update, patch, or delete a node lease')
  if (namespace !== leaseNamespace) {
    return noOpinion(`can only access leases in the ${JSON.stringify(leaseNamespace)} system namespace`)
  }
  if (verb !== 'create' && name !== node) {
    return noOpinion('can only access node lease with the same name as the requesting node')
  }
  return allow
}

function csiNode(node: string, { verb, subresource, name }: AuthorizationAttributes): Decision {
  if (!ownVerbs.has(verb)) return noOpinion('can only get, create, update, patch, or delete a CSINode')
  if (subresource !== '') return noOpinion('cannot authorize CSINode subresources')
  if (verb !== 'create' && name !== node) {
    return noOpinion('can only access CSINode with the same name as the requesting node')
  }
  return allow
}

function resourceSlice(graph: NodeGraph, node: string, asked: AuthorizationAttributes): Decision {
  if (asked.subresource !== '') return noOpinion('cannot authorize ResourceSlice subresources')
  switch (asked.verb) {
    case 'create':
      return allow
    case 'get':
    case 'update':
    case 'patch':
    case 'delete':
      return related(node, asked, () => graph.hasSlice(node, asked.name))
    case 'watch':
    case 'list':
    case 'deletecollection':
      return selects(asked, 'spec.nodeName', node)
        ? allow
        : noOpinion('can only list/watch/deletecollection resourceslices with nodeName field selector')
    default:
      return noOpinion(
        'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      )
  }
}

function ownNode(node: string, { verb, subresource, name }: AuthorizationAttributes): Decision {
  const isWrite = verb === 'update' || verb === 'patch'
  if (subresource === 'status') return isWrite ? allow : noOpinion()
  if (subresource !== '') return noOpinion()
  if (isWrite || verb === 'create') return allow
  if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return noOpinion()
  if (name === node) return allow
  return noOpinion(
    name === ''
      ? `node '${node}' cannot read all nodes, only its own Node object`
      : `node '${node}' cannot read '${name}', only its own Node object`,
  )
}

function pod(graph: NodeGraph, node: string, asked: AuthorizationAttributes): Decision {
  const { verb, subresource, namespace, name } = asked
  const isOwn = () => graph.hasPod(node, namespace, name)
  switch (`${verb} ${subresource}`) {
    case 'get ':
      return related(node, asked, isOwn)
    case 'list ':
    case 'watch ':
      if (selects(asked, 'spec.nodeName', node)) return allow
      if (name !== '') return related(node, asked, isOwn)
      return noOpinion('can only list/watch pods with spec.nodeName field selector')
    // NodeRestriction lets a node make, change and evict its own only.
    case 'create ':
    case 'delete ':
    case 'update status':
    case 'patch status':
    case 'create eviction':
      return allow
    default:
      return noOpinion()
  }
}

function selects({ fieldSelector = '' }: AuthorizationAttributes, field: string, value: string): boolean {
  if (fieldSelector === '') return false
  try {
    return parseFieldSelector(fieldSelector).some(
      (requirement) => requirement.field === field && requirement.operator === '=' && requirement.value === value,
    )
  } catch {
    // The request will be refused for it later, by its own name.
    return false
  }
}
