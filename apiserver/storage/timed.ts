import type { Store } from './store.ts'

/** Told of every answer of the store, and of every failure. */
export type StoreObserver = (operation: 'get' | 'list' | 'update', ms: number) => void

/** The same store, and somebody who is told how long it takes. */
export function timedStore(store: Store, observe: StoreObserver): Store {
  const timed = async <T>(operation: Parameters<StoreObserver>[0], answer: Promise<T>): Promise<T> => {
    const startedAt = performance.now()
    try {
      return await answer
    } finally {
      observe(operation, performance.now() - startedAt)
    }
  }
  return {
    get: (key, at) => timed('get', store.get(key, at)),
    list: (prefix, options) => timed('list', store.list(prefix, options)),
    commit: (changes, author) => timed('update', store.commit(changes, author)),
    watch: (prefix, after, signal) => store.watch(prefix, after, signal),
    requestProgress: () => store.requestProgress(),
    compact: (below) => store.compact(below),
    oldest: () => store.oldest(),
    commitAt: (at) => store.commitAt(at),
    versions: (key, options) => timed('list', store.versions(key, options)),
    revision: () => store.revision(),
    sizeBytes: () => store.sizeBytes(),
    snapshot: () => store.snapshot(),
    close: () => store.close(),
  }
}
