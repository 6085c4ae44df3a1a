import { notFoundError } from '../../../api/machinery/errors.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'
import { defineResource, type Resource } from '../../../api/machinery/resource.ts'
import type { ServerClient } from '../../registry/reader.ts'

type Change = { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: AnyObject }

/** A ServerClient over plain maps, for tests of what reads through one. Without `live`, reads and cache are one. */
export class MemoryClient implements ServerClient {
  readonly #objects = new Map<Resource, Map<string, AnyObject>>()
  readonly #listeners = new Map<Resource, Set<(change: Change) => void>>()
  readonly #resources = new Map<string, Resource>()
  /** Objects that the cache has not seen yet. */
  readonly #ahead = new Map<Resource, Map<string, AnyObject>>()

  /** Any kind at all; the same value each time. */
  readonly lookup = (group: string, plural: string): Resource => {
    const key = `${group}/${plural}`
    let resource = this.#resources.get(key)
    if (!resource) {
      const namespaced = !clusterScoped.has(plural)
      resource = defineResource({
        group,
        version: 'v1',
        kind: kinds[plural] ?? plural,
        plural,
        namespaced,
        schema: { type: 'any' },
      })
      this.#resources.set(key, resource)
    }
    return resource
  }

  put(group: string, plural: string, object: object): this {
    const resource = this.lookup(group, plural)
    const stored = object as AnyObject
    const known = this.#of(this.#objects, resource)
    const type = known.has(keyOf(stored)) ? 'MODIFIED' : 'ADDED'
    known.set(keyOf(stored), stored)
    this.#tell(resource, { type, object: stored })
    return this
  }

  /** Into the store only: the cache lags. */
  putAhead(group: string, plural: string, object: object): this {
    const stored = object as AnyObject
    this.#of(this.#ahead, this.lookup(group, plural)).set(keyOf(stored), stored)
    return this
  }

  remove(group: string, plural: string, namespace: string, name: string): this {
    const resource = this.lookup(group, plural)
    const known = this.#of(this.#objects, resource)
    const object = known.get(`${namespace}/${name}`)
    if (object) {
      known.delete(`${namespace}/${name}`)
      this.#tell(resource, { type: 'DELETED', object })
    }
    return this
  }

  cached<T>(resource: Resource, namespace: string, name: string): T | undefined {
    return this.#of(this.#objects, resource).get(`${namespace}/${name}`) as T | undefined
  }

  cachedList<T>(resource: Resource, namespace: string): T[] {
    const all = [...this.#of(this.#objects, resource).values()]
    return all.filter(({ metadata }) => namespace === '' || metadata.namespace === namespace) as T[]
  }

  async get<T>(resource: Resource, namespace: string, name: string): Promise<T | undefined> {
    const ahead = this.#of(this.#ahead, resource).get(`${namespace}/${name}`) as T | undefined
    return ahead ?? this.cached<T>(resource, namespace, name)
  }

  async create<T>(resource: Resource, _namespace: string, object: T): Promise<T> {
    this.put(resource.group, resource.plural, object as object)
    return object
  }

  async update<T>(
    resource: Resource,
    namespace: string,
    name: string,
    change: (object: T) => T | undefined,
  ): Promise<T> {
    const current = this.cached<T>(resource, namespace, name)
    if (!current) throw notFoundError({ group: resource.group, resource: resource.plural }, name)
    const changed = change(structuredClone(current)) ?? current
    this.put(resource.group, resource.plural, changed as object)
    return changed
  }

  onChange<T>(resource: Resource, listener: (change: { type: Change['type']; object: T }) => void): () => void {
    const listeners = this.#of(this.#listeners, resource, () => new Set())
    const own = listener as unknown as (change: Change) => void
    listeners.add(own)
    for (const object of this.#of(this.#objects, resource).values()) own({ type: 'ADDED', object })
    return () => listeners.delete(own)
  }

  #tell(resource: Resource, change: Change): void {
    for (const listener of this.#listeners.get(resource) ?? []) listener(change)
  }

  #of<T>(map: Map<Resource, T>, resource: Resource, make: () => T = () => new Map() as T): T {
    let value = map.get(resource)
    if (value === undefined) {
      value = make()
      map.set(resource, value)
    }
    return value
  }
}

const keyOf = ({ metadata }: AnyObject): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`

const clusterScoped = new Set([
  'namespaces',
  'nodes',
  'persistentvolumes',
  'clusterroles',
  'clusterrolebindings',
  'storageclasses',
  'ingressclasses',
  'priorityclasses',
  'runtimeclasses',
  'certificatesigningrequests',
  'csinodes',
  'volumeattachments',
])

const kinds: Record<string, string> = {
  pods: 'Pod',
  namespaces: 'Namespace',
  nodes: 'Node',
  serviceaccounts: 'ServiceAccount',
  secrets: 'Secret',
  configmaps: 'ConfigMap',
  clusterroles: 'ClusterRole',
  roles: 'Role',
  clusterrolebindings: 'ClusterRoleBinding',
  rolebindings: 'RoleBinding',
  persistentvolumes: 'PersistentVolume',
  persistentvolumeclaims: 'PersistentVolumeClaim',
  ingresses: 'Ingress',
  deployments: 'Deployment',
  limitranges: 'LimitRange',
  priorityclasses: 'PriorityClass',
  certificatesigningrequests: 'CertificateSigningRequest',
}
