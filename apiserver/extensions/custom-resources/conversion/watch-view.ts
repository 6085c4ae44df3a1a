import type { AnyObject } from '../../../../api/machinery/object.ts'
import type { Resource } from '../../../../api/machinery/resource.ts'
import { WatchHub } from '../../../handlers/watch.ts'
import type { StoreFeed } from '../../../registry/feed.ts'
import { type CachedObject, type CacheEvent, WatchCache } from '../../../registry/watch-cache.ts'
import { Compacted, type Revision, type Store } from '../../../storage/store.ts'

/** Between two tries of a conversion that failed. */
const retryMs = 1000

/**
 * The objects of a kind in one version that only a webhook can make, for those who watch it: a cache of its own, which
 * follows the kind's as fast as the webhook answers. Nothing is left out and nothing comes early: what is not converted yet
 * has not happened here.
 */
export class WatchView {
  readonly cache: WatchCache
  readonly hub: WatchHub
  readonly #source: WatchCache
  readonly #feed: StoreFeed
  readonly #apiVersion: string
  readonly #convert: NonNullable<Resource['convert']>
  readonly #onError: (error: unknown) => void
  readonly #stopListening: () => void
  /** Changes yet to be converted; null: begin anew. */
  #waiting: (readonly CacheEvent[] | null)[] = [null]
  #working: Promise<void> | undefined
  #stopped = false

  constructor(
    source: WatchCache,
    version: { version: string; apiVersion: string },
    feed: StoreFeed,
    onError: (error: unknown) => void,
  ) {
    const { resource } = source
    this.#source = source
    this.#feed = feed
    this.#apiVersion = version.apiVersion
    this.#convert = resource.convert as NonNullable<Resource['convert']>
    this.#onError = onError
    const { fromStore: _, ...plain } = resource
    this.cache = new WatchCache({ ...plain, version: version.version })
    const view = this
    const progress = {
      get revision() {
        return view.revision
      },
    }
    this.hub = new WatchHub(this.cache, progress, withoutHistory)
    this.#stopListening = source.listen({
      onEvents: (events) => this.#take(events),
      onReset: () => this.#take(null),
    })
    this.#working = this.#work()
  }

  /** Everything up to here has been converted. */
  get revision(): Revision {
    return this.#waiting.length === 0 ? this.#feed.revision : this.cache.lastChange
  }

  /** Resolves when all that has happened so far has been converted. */
  async settle(): Promise<void> {
    while (this.#working && !this.#stopped) await this.#working
  }

  stop(): void {
    this.#stopped = true
    this.#stopListening()
    this.hub.stop()
  }

  #take(events: readonly CacheEvent[] | null): void {
    if (events === null) this.#waiting = [null]
    else this.#waiting.push(events)
    this.#working ??= this.#work()
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const next = this.#waiting[0]
      if (next === undefined) break
      try {
        if (next === null) await this.#reload()
        else await this.#apply(next)
      } catch (error) {
        this.#onError(error)
        await new Promise<void>((resolve) => setTimeout(resolve, retryMs).unref())
      }
    }
    this.#working = undefined
  }

  async #reload(): Promise<void> {
    const began = this.#waiting
    // Nothing has changed since: they are what they were then.
    const revision = this.#source.lastChange
    const objects = this.#source.range(this.#source.prefix)
    const converted = await this.#bytesOf(objects)
    if (this.#waiting !== began) return
    const entries = objects.map(({ key, revision: modRevision }, i) => ({
      key,
      value: converted[i] as Buffer,
      modRevision,
      createRevision: modRevision,
    }))
    this.cache.reset(entries, revision)
    this.#waiting.shift()
  }

  async #apply(events: readonly CacheEvent[]): Promise<void> {
    const began = this.#waiting
    const converted = await this.#bytesOf(events.map(({ object }) => object))
    if (this.#waiting !== began) return
    this.#waiting.shift()
    this.cache.apply(
      events.map(({ type, revision, object: { key } }, i) => {
        const bytes = converted[i] as Buffer
        return type === 'DELETED'
          ? { type: 'delete' as const, key, revision, created: false, value: undefined, previous: bytes }
          : { type: 'put' as const, key, revision, created: type === 'ADDED', value: bytes, previous: undefined }
      }),
    )
  }

  async #bytesOf(objects: readonly CachedObject[]): Promise<Buffer[]> {
    const converted: AnyObject[] = await this.#convert(
      objects.map(({ object }) => object),
      this.#apiVersion,
    )
    return converted.map((object) => this.cache.codec.encode(structuredClone(object)))
  }
}

/** History is the kind's own, in the versions it was written in: who comes from long ago begins anew. */
const withoutHistory: Pick<Store, 'watch'> = {
  // biome-ignore lint/correctness/useYield: there is nothing to come
  async *watch(_prefix, after) {
    throw new Compacted(after, after + 1)
  },
}
