import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import type { UserInfo } from '../auth/types.ts'
import { storeKey, storePrefix } from './codec.ts'
import type { ServerClient } from './reader.ts'
import type { Registry } from './registry.ts'
import type { CachedObject, CacheEvent } from './watch-cache.ts'
import type { WriteOptions } from './write.ts'

/** Who the server is when it writes for itself. */
export const self: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

/** The server's own access to its objects, without a network in between. */
/** The server's own writes are nobody's. */
export const ownsNothing = (): void => {}

export function createServerClient(registryOf: (resource: Resource) => Registry, now: () => number): ServerClient {
  const options = (): WriteOptions => ({
    user: self,
    nowMs: now(),
    dryRun: false,
    fieldManager: 'gantry-apiserver',
    warn: () => {},
  })
  return {
    cached<T>(resource: Resource, namespace: string, name: string) {
      return registryOf(resource).cache.get(storeKey(resource, namespace, name))?.object as T | undefined
    },
    cachedList<T>(resource: Resource, namespace: string) {
      return registryOf(resource)
        .cache.range(storePrefix(resource, namespace))
        .map(({ object }) => object as T)
    },
    async get<T>(resource: Resource, namespace: string, name: string) {
      try {
        return (await registryOf(resource).get(namespace, name)).object as T
      } catch (error) {
        if ((error as { code?: number }).code === 404) return undefined
        throw error
      }
    },
    async create<T>(resource: Resource, namespace: string, object: T) {
      const copy = structuredClone(object) as AnyObject
      copy.metadata ??= {}
      resource.defaults?.(copy)
      const written = await registryOf(resource).create(namespace, copy, options())
      return written.object as T
    },
    async update<T>(resource: Resource, namespace: string, name: string, change: (object: T) => T | undefined) {
      const written = await registryOf(resource).update(
        namespace,
        name,
        (current) => (change(structuredClone(current) as T) ?? current) as AnyObject,
        { ...options(), rules: {}, track: ownsNothing },
      )
      return written.object as T
    },
    onChange<T>(
      resource: Resource,
      listener: (change: { type: CacheEvent['type']; object: T }) => void,
      { glance } = { glance: false },
    ) {
      const { cache } = registryOf(resource)
      let known = new Map<string, CachedObject>()
      const addAll = () => {
        const before = known
        known = new Map()
        for (const cached of cache.range(cache.prefix)) {
          known.set(cached.key, cached)
          listener({ type: before.delete(cached.key) ? 'MODIFIED' : 'ADDED', object: cached.object as T })
        }
        for (const gone of before.values()) listener({ type: 'DELETED', object: gone.object as T })
      }
      const stop = cache.listen({
        onEvents(events) {
          for (const { type, object } of events) {
            if (type === 'DELETED') known.delete(object.key)
            else known.set(object.key, object)
            listener({ type, object: (glance ? object.glance() : object.object) as T })
          }
        },
        onReset: addAll,
      })
      addAll()
      return stop
    },
  }
}
