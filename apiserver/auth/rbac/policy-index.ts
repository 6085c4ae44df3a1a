import type { PolicyRule, RoleRef, RbacV1Subject as Subject } from '../../../api/generated/types.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { Resource } from '../../../api/machinery/resource.ts'
import type { ServerClient } from '../../registry/reader.ts'
import { serviceAccountUser } from '../groups.ts'
import type { UserInfo } from '../types.ts'

export interface RoleObject extends KubeObject {
  rules?: PolicyRule[]
}
export interface BindingObject extends KubeObject {
  roleRef: RoleRef
  subjects?: Subject[]
}

/** One binding that names a user, with what it grants. */
export interface Grant {
  binding: BindingObject
  subject: Subject
}

export type Lookup = (group: string, plural: string) => Resource

export const rbacGroup = 'rbac.authorization.k8s.io'
/** Of the subjects of one scope: which bindings name them. */
type BySubject = Map<string, Map<string, Grant>>

/**
 * Roles and bindings, found by whom they are for. Kept up to date by the changes of the watch cache, so that no request
 * ever looks through all bindings.
 */
export class PolicyIndex {
  readonly #roles = new Map<string, readonly PolicyRule[]>()
  readonly #clusterRoles = new Map<string, readonly PolicyRule[]>()
  readonly #known = new Map<string, BindingObject>()
  /** By namespace; '' holds the cluster role bindings. */
  readonly #scopes = new Map<string, BySubject>()
  readonly #stops: (() => void)[]

  /** `changed` is called after every change of a role or a binding. */
  constructor(client: ServerClient, lookup: Lookup, changed: () => void) {
    const rolesInto = (resource: Resource, into: Map<string, readonly PolicyRule[]>) =>
      client.onChange<RoleObject>(resource, ({ type, object }) => {
        const key = keyOf(object)
        if (type === 'DELETED') into.delete(key)
        else into.set(key, object.rules ?? [])
        changed()
      })
    const bindingsOf = (resource: Resource) =>
      client.onChange<BindingObject>(resource, ({ type, object }) => {
        const key = keyOf(object)
        this.#forget(key)
        if (type !== 'DELETED') this.#learn(key, object)
        changed()
      })
    this.#stops = [
      rolesInto(lookup(rbacGroup, 'clusterroles'), this.#clusterRoles),
      rolesInto(lookup(rbacGroup, 'roles'), this.#roles),
      bindingsOf(lookup(rbacGroup, 'clusterrolebindings')),
      bindingsOf(lookup(rbacGroup, 'rolebindings')),
    ]
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  /** Bindings of the cluster (namespace '') or of one namespace that name the user or one of the user's groups. */
  grants(user: UserInfo, namespace: string): Iterable<Grant> {
    const scope = this.#scopes.get(namespace)
    if (!scope) return []
    // A binding counts once, however many of its subjects are this user.
    const found = new Map<string, Grant>(scope.get(userKey(user.name)))
    for (const group of user.groups) {
      for (const [key, grant] of scope.get(groupKey(group)) ?? []) if (!found.has(key)) found.set(key, grant)
    }
    return found.values()
  }

  /** Rules of the role that a binding in `namespace` refers to. A string says that there is no such role. */
  rulesOf({ kind, name = '' }: RoleRef, namespace: string): readonly PolicyRule[] | string {
    if (kind === 'ClusterRole') {
      return this.#clusterRoles.get(`/${name}`) ?? `clusterrole.${rbacGroup} ${JSON.stringify(name)} not found`
    }
    if (kind === 'Role') {
      return this.#roles.get(`${namespace}/${name}`) ?? `role.${rbacGroup} ${JSON.stringify(name)} not found`
    }
    return `unsupported role reference kind: ${JSON.stringify(kind)}`
  }

  #learn(key: string, binding: BindingObject): void {
    this.#known.set(key, binding)
    const namespace = binding.metadata.namespace ?? ''
    const scope = getOrAdd(this.#scopes, namespace, () => new Map())
    for (const subject of binding.subjects ?? []) {
      const who = subjectKey(subject, namespace)
      if (who === undefined) continue
      const grants: Map<string, Grant> = getOrAdd(scope, who, () => new Map())
      if (!grants.has(key)) grants.set(key, { binding, subject })
    }
  }

  #forget(key: string): void {
    const binding = this.#known.get(key)
    if (!binding) return
    this.#known.delete(key)
    const namespace = binding.metadata.namespace ?? ''
    const scope = this.#scopes.get(namespace)
    for (const subject of binding.subjects ?? []) {
      const who = subjectKey(subject, namespace)
      if (who === undefined) continue
      const grants = scope?.get(who)
      grants?.delete(key)
      if (grants?.size === 0) scope?.delete(who)
    }
    if (scope?.size === 0) this.#scopes.delete(namespace)
  }
}

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`
const userKey = (name: string): string => `u ${name}`
const groupKey = (name: string): string => `g ${name}`

/** A service account without a namespace is one of the binding's own. */
function subjectKey(subject: Subject, namespace: string): string | undefined {
  switch (subject.kind) {
    case 'User':
      return userKey(subject.name)
    case 'Group':
      return groupKey(subject.name)
    case 'ServiceAccount': {
      const home = subject.namespace || namespace
      return home === '' ? undefined : userKey(serviceAccountUser(home, subject.name))
    }
    default:
      return undefined
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
