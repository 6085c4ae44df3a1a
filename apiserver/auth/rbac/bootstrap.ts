import type { AggregationRule, PolicyRule, RbacV1Subject as Subject } from '../../../api/generated/types.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'
import type { Resource } from '../../../api/machinery/resource.ts'
import { mergeRules } from '../../../api/rbac/aggregate.ts'
import { missingRules } from '../../../api/rbac/coverage.ts'
import { controllerRoles } from './policy-controllers.ts'
import { type BindingObject, type Lookup, type RoleObject, rbacGroup } from './policy-index.ts'
import {
  aggregatedRoles,
  aggregateTo,
  clusterRoleBindings,
  clusterRoles,
  namespaceRoleBindings,
  namespaceRoles,
} from './policy-users.ts'

/** An object that must be there, and how one that is there is brought up to date. */
export interface BootstrapObject {
  resource: Resource
  namespace: string
  object: AnyObject
  /** The object as it should be, made from a copy of the one that stands; undefined: it may stay. */
  reconcile: (standing: AnyObject) => AnyObject | undefined
}

type ClusterRoleObject = RoleObject & { aggregationRule?: AggregationRule }

const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate'
const aggregateLabel = (role: string) => `${rbacGroup}/aggregate-to-${role}`

/** The roles and bindings of a new cluster, as upstream's. The aggregated roles come with their rules gathered. */
export function bootstrapObjects(lookup: Lookup): BootstrapObject[] {
  const role = (plural: string, namespace: string, object: ClusterRoleObject): BootstrapObject => ({
    resource: lookup(rbacGroup, plural),
    namespace,
    object: object as unknown as AnyObject,
    reconcile: (standing) => reconcileRole(standing as unknown as ClusterRoleObject, object) as AnyObject | undefined,
  })
  const binding = (plural: string, namespace: string, object: BindingObject): BootstrapObject => ({
    resource: lookup(rbacGroup, plural),
    namespace,
    object: object as unknown as AnyObject,
    reconcile: (standing) => reconcileBinding(standing as unknown as BindingObject, object) as AnyObject | undefined,
  })
  const plain = [...Object.entries(clusterRoles), ...controllers((name) => controllerRoles[name] ?? [])]
  const roles = plain.map(([name, rules]) => clusterRole(name, rules.map(parseRule)))
  return [
    ...[...roles, ...gathered(roles)].map((object) => role('clusterroles', '', object)),
    ...[...Object.entries(clusterRoleBindings), ...controllers(controllerSubjects)].map(([name, subjects]) =>
      binding('clusterrolebindings', '', bindingOf(name, undefined, 'ClusterRole', name, subjects)),
    ),
    ...Object.entries(namespaceRoles).map(([key, rules]) => {
      const [namespace = '', name = ''] = key.split('/')
      return role('roles', namespace, {
        ...header('Role', name, namespace),
        rules: rules.map(parseRule),
      })
    }),
    ...namespaceRoleBindings.map(({ namespace, name, role: ofRole, subjects }) =>
      binding('rolebindings', namespace, bindingOf(name, namespace, 'Role', ofRole, subjects)),
    ),
  ]
}

/** The roles that upstream's servers lack, and who has them, as objects: of controllers, and of the network of nodes. */
export function ownPolicy(): { role: ClusterRoleObject; binding: BindingObject }[] {
  const subjects = new Map(controllers(controllerSubjects))
  const roles = controllers((name) => controllerRoles[name] ?? [])
  const one = (name: string, rules: readonly string[], whose: readonly string[]) => ({
    role: clusterRole(name, rules.map(parseRule)),
    binding: bindingOf(name, undefined, 'ClusterRole', name, whose),
  })
  return [
    ...roles.map(([name, rules]) => one(name, rules, subjects.get(name) ?? [])),
    one(nodeNetwork, clusterRoles[nodeNetwork] ?? [], clusterRoleBindings[nodeNetwork] ?? []),
  ]
}

const nodeNetwork = 'gantry:node-network'

/** Upstream's manager runs each controller as its service account; one that runs all as itself needs the same. */
const controllerSubjects = (name: string) => [
  `ServiceAccount kube-system/${name}`,
  'User system:kube-controller-manager',
]

const controllers = <T>(value: (name: string) => T): [string, T][] =>
  Object.keys(controllerRoles).map((name) => [`system:controller:${name}`, value(name)])

const header = (kind: string, name: string, namespace?: string) => ({
  apiVersion: `${rbacGroup}/v1`,
  kind,
  metadata: {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } as Record<string, string>,
    annotations: { [autoupdate]: 'true' },
  },
})

function clusterRole(name: string, rules: PolicyRule[]): ClusterRoleObject {
  const object: ClusterRoleObject = { ...header('ClusterRole', name), rules }
  const target = aggregateTo[name]
  if (target !== undefined) object.metadata.labels = { ...object.metadata.labels, [aggregateLabel(target)]: 'true' }
  return object
}

/** Those that need others first come last in the making: view, then edit, then admin. */
function gathered(roles: readonly ClusterRoleObject[]): ClusterRoleObject[] {
  const made: ClusterRoleObject[] = []
  for (const name of [...aggregatedRoles].reverse()) {
    const label = aggregateLabel(name)
    const parts = [...made, ...roles].filter(({ metadata }) => metadata.labels?.[label] === 'true')
    made.push({
      ...clusterRole(name, mergeRules(parts)),
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] },
    })
  }
  return made
}

function bindingOf(
  name: string,
  namespace: string | undefined,
  kind: 'Role' | 'ClusterRole',
  role: string,
  subjects: readonly string[],
): BindingObject {
  return {
    ...header(namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding', name, namespace),
    roleRef: { apiGroup: rbacGroup, kind, name: role },
    ...(subjects.length === 0 ? {} : { subjects: subjects.map(parseSubject) }),
  }
}

function parseSubject(text: string): Subject {
  const [kind = '', name = ''] = text.split(' ')
  if (kind !== 'ServiceAccount') return { apiGroup: rbacGroup, kind, name }
  const [namespace = '', account = ''] = name.split('/')
  return { kind, name: account, namespace }
}

const verbShorthands: Record<string, readonly string[]> = {
  READ: ['get', 'list', 'watch'],
  WRITE: ['create', 'delete', 'deletecollection', 'patch', 'update'],
}

/** What nodes may do that the node authorizer does not narrow down. */
export const nodeRules = (): PolicyRule[] => (clusterRoles['system:node'] ?? []).map(parseRule)

/** One line of the policy: `groups: resources [names]: verbs` or `paths: verbs`. */
function parseRule(line: string): PolicyRule {
  const parts = line.split(': ')
  const words = (text = '') => text.split(' ').filter((word) => word !== '')
  const verbs = words(parts.at(-1))
    .flatMap((verb) => verbShorthands[verb] ?? [verb])
    .sort()
  if (parts.length === 2) return { nonResourceURLs: words(parts[0]), verbs }
  const [, resources, names] = parts[1]?.match(/^([^[]*)(?:\[(.*)\])?$/) ?? []
  return {
    apiGroups: words(parts[0]).map((group) => (group === 'core' ? '' : group)),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
    resources: words(resources),
    verbs,
  }
}

/** Adds what is missing and takes nothing away, unless the role says that it is to be left alone. */
function reconcileRole(standing: ClusterRoleObject, wanted: ClusterRoleObject): ClusterRoleObject | undefined {
  if (isProtected(standing)) return undefined
  const rules = standing.rules ?? []
  const missing = missingRules(rules, wanted.rules ?? [])
  const selectors = standing.aggregationRule?.clusterRoleSelectors ?? []
  const missingSelectors = (wanted.aggregationRule?.clusterRoleSelectors ?? []).filter(
    (selector) => !selectors.some((own) => sameLabels(own.matchLabels, selector.matchLabels) && !own.matchExpressions),
  )
  const unwantedAggregation = wanted.aggregationRule === undefined && standing.aggregationRule !== undefined
  const marked = addMarks(standing, wanted)
  if (missing.length === 0 && missingSelectors.length === 0 && !unwantedAggregation && !marked) return undefined
  if (missing.length > 0) standing.rules = [...rules, ...missing]
  if (missingSelectors.length > 0) {
    standing.aggregationRule = { clusterRoleSelectors: [...selectors, ...missingSelectors] }
  }
  if (unwantedAggregation) delete standing.aggregationRule
  return standing
}

function reconcileBinding(standing: BindingObject, wanted: BindingObject): BindingObject | undefined {
  if (isProtected(standing)) return undefined
  const own = standing.subjects ?? []
  const missing = (wanted.subjects ?? []).filter(
    (subject) =>
      !own.some(
        ({ kind, name, namespace }) =>
          kind === subject.kind && name === subject.name && (namespace ?? '') === (subject.namespace ?? ''),
      ),
  )
  const { kind, name } = standing.roleRef
  const misdirected = kind !== wanted.roleRef.kind || name !== wanted.roleRef.name
  const marked = addMarks(standing, wanted)
  if (missing.length === 0 && !misdirected && !marked) return undefined
  if (missing.length > 0) standing.subjects = [...own, ...missing]
  standing.roleRef = { ...wanted.roleRef }
  return standing
}

const isProtected = ({ metadata }: RoleObject | BindingObject): boolean =>
  metadata.annotations?.[autoupdate] === 'false'

/** Labels and annotations that are there keep their values. */
function addMarks(standing: RoleObject | BindingObject, wanted: RoleObject | BindingObject): boolean {
  let changed = false
  for (const field of ['labels', 'annotations'] as const) {
    for (const [key, value] of Object.entries(wanted.metadata[field] ?? {})) {
      if (standing.metadata[field]?.[key] !== undefined) continue
      standing.metadata[field] = { ...standing.metadata[field], [key]: value }
      changed = true
    }
  }
  return changed
}

function sameLabels(a: Record<string, string> | undefined, b: Record<string, string> | undefined): boolean {
  const keys = Object.keys(a ?? {})
  return keys.length === Object.keys(b ?? {}).length && keys.every((key) => a?.[key] === b?.[key])
}
