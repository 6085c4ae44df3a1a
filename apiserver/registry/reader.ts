import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'

/** What the server's own parts (authorizer, admission, reviews) may ask: reads from the watch caches, and plain writes. */
export interface ServerClient {
  /** From the watch cache, which may lag the store by a moment. Frozen: never change what it returns. */
  cached<T = AnyObject>(resource: Resource, namespace: string, name: string): T | undefined
  /** All of a namespace, or of the cluster with namespace ''. From the watch cache. */
  cachedList<T = AnyObject>(resource: Resource, namespace: string): T[]
  /** Linearizable read. */
  get<T = AnyObject>(resource: Resource, namespace: string, name: string): Promise<T | undefined>
  /** As the server itself: no authorization; defaults, admission and validation run. Throws StatusError. */
  create<T = AnyObject>(resource: Resource, namespace: string, object: T): Promise<T>
  /** Read, change, write, again on conflict. `change` returns undefined to leave it as it is. */
  update<T = AnyObject>(
    resource: Resource,
    namespace: string,
    name: string,
    change: (object: T) => T | undefined,
  ): Promise<T>
  /**
   * Called for every change the watch cache sees, and once for each object there already. Returns the unsubscriber. Who
   * keeps nothing of the object beyond the call says so with `glance`: it then need not be parsed for that.
   */
  onChange<T = AnyObject>(
    resource: Resource,
    listener: (change: { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }) => void,
    options?: { glance: boolean },
  ): () => void
}
