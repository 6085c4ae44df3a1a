import { randomUUID } from 'node:crypto'
import type { AnyObject } from '../api/machinery/object.ts'
import type { Resource } from '../api/machinery/resource.ts'
import { formatTime } from './../api/machinery/time.ts'
import type { Registry } from './registry/registry.ts'
import type { ServerCore } from './server.ts'
import { type Change, Conflict } from './storage/store.ts'

/** An object that must be there. */
export interface Wanted {
  resource: Resource
  namespace: string
  object: AnyObject
  /** What to do with one that is there: a changed copy, or undefined to leave it. Default: leave it. */
  reconcile?: (standing: AnyObject) => AnyObject | undefined
}

/** As many changes as an etcd transaction takes with room to spare. */
const batchSize = 100
const maxAttempts = 10

/**
 * Creates what is missing, and mends what has fallen behind, in as few commits as the store allows: the first start is
 * as fast as the ones after it. Two servers that start at once agree.
 */
export async function bootstrap(core: ServerCore, wanted: readonly Wanted[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const changes = wanted.flatMap((want) => changeFor(core, want) ?? [])
    if (changes.length === 0) return
    try {
      for (let i = 0; i < changes.length; i += batchSize) {
        const revision = await core.store.commit(changes.slice(i, i + batchSize))
        await core.feed.waitFor(revision)
      }
      return
    } catch (error) {
      // Another server was first; look again at what is left to do.
      if (!(error instanceof Conflict) || attempt >= maxAttempts) throw error
      await core.feed.catchUp()
    }
  }
}

function changeFor(core: ServerCore, want: Wanted): Change | undefined {
  const { resource, namespace, object } = want
  const registry = core.registry(resource.group, resource.plural)
  const key = registry.key(namespace, object.metadata.name ?? '')
  const standing = registry.cache.get(key)
  if (!standing) {
    return {
      key,
      expect: 'absent',
      value: registry.cache.codec.encode(newObject(registry, namespace, object, core.now())),
    }
  }
  const mended = want.reconcile?.(structuredClone(standing.object))
  if (!mended) return undefined
  return { key, expect: standing.revision, value: registry.cache.codec.encode(mended) }
}

/** The object as a create would store it. */
export function newObject({ resource }: Registry, namespace: string, object: AnyObject, nowMs: number): AnyObject {
  const copy = structuredClone(object)
  resource.defaults?.(copy)
  copy.metadata = {
    ...copy.metadata,
    ...(resource.namespaced ? { namespace } : {}),
    uid: randomUUID(),
    creationTimestamp: formatTime(nowMs),
    ...(resource.strategy.generation ? { generation: 1 } : {}),
  }
  return copy
}
