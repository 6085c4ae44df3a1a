import { setMaxListeners } from 'node:events'
import { StatusError } from '../api/machinery/errors.ts'
import { systemClock } from './clock.ts'
import { isGone, isNotFound, isServerDown } from './errors.ts'
import { keyOf } from './key.ts'
import type { Api, Clock, ListOptions, Live, ResourceRef } from './types.ts'

export interface InformerOptions<T> {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Only apiVersion, kind and metadata of each object. */
  metadataOnly?: boolean
  /** Keeps of an object what its readers need; may change it. managedFields are always dropped. */
  transform?: (object: Live<T>) => Live<T>
  /** Values by which objects are found again with `lister.byIndex`. */
  indexers?: Record<string, (object: Live<T>) => string[]>
  clock?: Clock
  /** Told what goes wrong; the informer goes on. */
  onError?: (error: unknown) => void
}

export interface Handler<T> {
  add?(object: Live<T>): void
  update?(before: Live<T>, after: Live<T>): void
  delete?(object: Live<T>): void
}

/** What is cached. The objects are shared: nobody may change them. */
export interface Lister<T> {
  get(namespace: string | undefined, name: string): Live<T> | undefined
  byKey(key: string): Live<T> | undefined
  list(namespace?: string): Live<T>[]
  byIndex(index: string, value: string): Live<T>[]
}

const pageSize = 500
const minBackoffMs = 200
const maxBackoffMs = 30_000

/**
 * A cache of one kind that follows the server: lists once, then watches, goes on where a watch ended, and lists again
 * when the server no longer knows that version. What happened between is told to the handlers as what changed. Of an
 * optional kind that the server does not have there are no objects, until it has.
 */
export class Informer<T> {
  readonly lister: Lister<T>
  readonly ref: ResourceRef<T>
  readonly #api: Api
  readonly #options: InformerOptions<T>
  readonly #clock: Clock
  readonly #objects = new Map<string, Live<T>>()
  readonly #indexes = new Map<string, { keysOf: (object: Live<T>) => string[]; byValue: Map<string, Set<string>> }>()
  readonly #byNamespace = new Map<string, Map<string, Live<T>>>()
  readonly #handlers = new Set<Handler<T>>()
  #version = ''
  #synced = false
  #started: Promise<void> | undefined

  constructor(api: Api, ref: ResourceRef<T>, options: InformerOptions<T> = {}) {
    this.#api = api
    this.ref = ref
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.addIndexers(options.indexers ?? {})
    this.lister = {
      get: (namespace, name) => this.#objects.get(namespace ? `${namespace}/${name}` : name),
      byKey: (key) => this.#objects.get(key),
      list: (namespace) => [...((namespace ? this.#byNamespace.get(namespace) : this.#objects)?.values() ?? [])],
      byIndex: (index, value) => this.#pick(this.#index(index).byValue.get(value)),
    }
  }

  /** The first list is in. */
  get synced(): boolean {
    return this.#synced
  }

  /** The version of the server that is cached; empty before the first list. Versions are counted for all kinds together. */
  get version(): string {
    return this.#version
  }

  /** Called with what is there already, then with every change. Returns what ends that. A handler must not throw. */
  on(handler: Handler<T>): () => void {
    this.#handlers.add(handler)
    for (const object of this.#objects.values()) handler.add?.(object)
    return () => void this.#handlers.delete(handler)
  }

  addIndexers(indexers: Record<string, (object: Live<T>) => string[]>): void {
    for (const [name, keysOf] of Object.entries(indexers)) {
      if (this.#indexes.has(name)) continue
      const byValue = new Map<string, Set<string>>()
      this.#indexes.set(name, { keysOf, byValue })
      for (const [key, object] of this.#objects) for (const value of keysOf(object)) addTo(byValue, value, key)
    }
  }

  /** Resolves when the first list is in, and follows the server until the signal fires. */
  start(signal: AbortSignal): Promise<void> {
    this.#started ??= new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      this.#run(signal, resolve).catch(reject)
    })
    // Whoever does not wait for it must not end the process with it.
    this.#started.catch(() => {})
    return this.#started
  }

  async #run(signal: AbortSignal, onSynced: () => void): Promise<void> {
    let backoffMs = minBackoffMs
    while (!signal.aborted) {
      const startedAt = this.#clock.now()
      try {
        if (this.#version === '') {
          await this.#relist(signal)
          this.#synced = true
          onSynced()
        }
        await this.#follow(signal)
        backoffMs = minBackoffMs
        // A server that ends every watch at once is not asked again in a tight loop.
        if (this.#clock.now() - startedAt < 1000) await this.#clock.sleep(100, signal).catch(() => {})
      } catch (error) {
        if (signal.aborted) return
        if (this.ref.optional && isNotFound(error)) {
          this.#clear()
          onSynced()
        } else if (isGone(error) || (error instanceof StatusError && error.reason === 'Timeout')) this.#version = ''
        else {
          this.#options.onError?.(error)
          if (!isServerDown(error)) this.#version = ''
        }
        if (this.#clock.now() - startedAt > 10_000) backoffMs = minBackoffMs
        await this.#clock.sleep(backoffMs * (0.5 + Math.random()), signal).catch(() => {})
        backoffMs = Math.min(backoffMs * 2, maxBackoffMs)
      }
    }
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const seen = new Map<string, Live<T>>()
    const selection = this.#selection()
    let next: string | undefined
    let version = ''
    for (;;) {
      const page = await this.#api.list(this.ref, {
        ...selection,
        limit: pageSize,
        ...(next ? { continue: next } : {}),
        signal,
      })
      for (const object of page.items) seen.set(keyOf(object), this.#trim(object))
      version = page.metadata.resourceVersion
      next = page.metadata.continue
      if (!next) break
    }
    for (const [key, object] of [...this.#objects]) if (!seen.has(key)) this.#remove(key, object)
    for (const [key, object] of seen) this.#put(key, object)
    this.#version = version
  }

  /** There is no such kind, so there are none of it. */
  #clear(): void {
    for (const [key, object] of [...this.#objects]) this.#remove(key, object)
    this.#version = ''
    this.#synced = true
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const events = this.#api.watch(this.ref, {
      ...this.#selection(),
      resourceVersion: this.#version,
      allowWatchBookmarks: true,
      // Spread, so that not all watches of a cluster end together.
      timeoutSeconds: Math.floor(300 * (1 + Math.random())),
      signal,
    })
    for await (const event of events) {
      if (event.type !== 'BOOKMARK') {
        const object = this.#trim(event.object)
        const key = keyOf(object)
        if (event.type === 'DELETED') this.#remove(key, object)
        else this.#put(key, object)
      }
      this.#version = event.object.metadata.resourceVersion ?? this.#version
    }
  }

  #selection(): Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector' | 'metadataOnly'> {
    const { namespace, labelSelector, fieldSelector, metadataOnly } = this.#options
    return {
      ...(metadataOnly ? { metadataOnly } : {}),
      ...(namespace ? { namespace } : {}),
      ...(labelSelector ? { labelSelector } : {}),
      ...(fieldSelector ? { fieldSelector } : {}),
    }
  }

  #trim(object: Live<T>): Live<T> {
    delete object.metadata.managedFields
    return this.#options.transform?.(object) ?? object
  }

  #put(key: string, object: Live<T>): void {
    const before = this.#objects.get(key)
    if (before && before.metadata.resourceVersion === object.metadata.resourceVersion) return
    this.#reindex(key, before, object)
    this.#objects.set(key, object)
    for (const handler of this.#handlers) {
      if (!before) handler.add?.(object)
      // Deleted and made again between two looks: for the handlers that is two things.
      else if (before.metadata.uid !== object.metadata.uid && (handler.delete || handler.add)) {
        handler.delete?.(before)
        handler.add?.(object)
      } else handler.update?.(before, object)
    }
  }

  #remove(key: string, last: Live<T>): void {
    const before = this.#objects.get(key)
    if (!before) return
    this.#reindex(key, before, undefined)
    this.#objects.delete(key)
    for (const handler of this.#handlers) handler.delete?.(last)
  }

  #reindex(key: string, before: Live<T> | undefined, after: Live<T> | undefined): void {
    for (const { keysOf, byValue } of this.#indexes.values()) {
      if (before) for (const value of keysOf(before)) removeFrom(byValue, value, key)
      if (after) for (const value of keysOf(after)) addTo(byValue, value, key)
    }
    const namespace = (after ?? before)?.metadata.namespace
    if (!namespace) return
    let objects = this.#byNamespace.get(namespace)
    if (!objects) {
      objects = new Map()
      this.#byNamespace.set(namespace, objects)
    }
    if (after) objects.set(key, after)
    else objects.delete(key)
    if (objects.size === 0) this.#byNamespace.delete(namespace)
  }

  #index(name: string) {
    const index = this.#indexes.get(name)
    if (!index) throw new Error(`there is no index ${name} of ${this.ref.plural}`)
    return index
  }

  #pick(keys: Set<string> | undefined): Live<T>[] {
    if (!keys) return []
    return Array.from(keys, (key) => this.#objects.get(key) as Live<T>)
  }
}

function addTo(map: Map<string, Set<string>>, value: string, key: string): void {
  const keys = map.get(value)
  if (keys) keys.add(key)
  else map.set(value, new Set([key]))
}

function removeFrom(map: Map<string, Set<string>>, value: string, key: string): void {
  const keys = map.get(value)
  if (!keys) return
  keys.delete(key)
  if (keys.size === 0) map.delete(value)
}

/** One informer a kind, shared by all who ask. */
export class InformerFactory {
  readonly #api: Api
  readonly #clock: Clock
  readonly #onError: ((error: unknown, what: string) => void) | undefined
  readonly #informers = new Map<string, Informer<unknown>>()
  #signal: AbortSignal | undefined

  constructor(api: Api, options: { clock?: Clock; onError?: (error: unknown, what: string) => void } = {}) {
    this.#api = api
    this.#clock = options.clock ?? systemClock
    this.#onError = options.onError
  }

  /** The informer of the kind, made with the options of the first who asks. */
  for<T>(ref: ResourceRef<T>, options: InformerOptions<T> = {}): Informer<T> {
    const name = `${ref.group}/${ref.version}/${ref.plural}`
    const standing = this.#informers.get(name) as Informer<T> | undefined
    if (standing) {
      standing.addIndexers(options.indexers ?? {})
      return standing
    }
    const made = this.own(ref, options)
    this.#informers.set(name, made as Informer<unknown>)
    // Asked for after the start: it is started at once.
    if (this.#signal && !this.#signal.aborted) made.start(this.#signal).catch(() => {})
    return made
  }

  /** An informer of one's own, of what nobody else needs. It speaks for all, as the shared ones; who asks starts it. */
  own<T>(ref: ResourceRef<T>, options: InformerOptions<T>): Informer<T> {
    const name = `${ref.group}/${ref.version}/${ref.plural}`
    const onError = this.#onError
    return new Informer(this.#api, ref, {
      clock: this.#clock,
      ...(onError ? { onError: (error: unknown) => onError(error, name) } : {}),
      ...options,
    })
  }

  /** The informer of the kind if anybody has asked for one. */
  standing(ref: ResourceRef): Informer<unknown> | undefined {
    return this.#informers.get(`${ref.group}/${ref.version}/${ref.plural}`)
  }

  /** Starts all of them, and resolves when every first list is in. */
  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    // Every informer and every request of theirs listens to it.
    setMaxListeners(0, signal)
    await Promise.all([...this.#informers.values()].map((informer) => informer.start(signal)))
  }
}
