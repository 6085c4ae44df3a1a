import { apiVersionOf } from '../api/machinery/object.ts'
import type { Resource, ServedVersion } from '../api/machinery/resource.ts'
import type { WatchView } from './extensions/custom-resources/conversion/watch-view.ts'
import type { Endpoint } from './handlers/context.ts'
import { WatchHub } from './handlers/watch.ts'
import { Registry } from './registry/registry.ts'
import { WatchCache } from './registry/watch-cache.ts'
import type { RegistryDependencies, RegistryHooks } from './registry/write.ts'

type GroupVersion = { version: string; apiVersion: string }

/** One kind being served: what holds its objects, and who watches them. */
interface Served {
  registry: Registry
  hub: WatchHub
  endpoints: readonly Endpoint[]
  /** By version, of kinds whose versions somebody outside makes. */
  views: Map<string, Promise<WatchView>>
}

export interface KindsDependencies extends RegistryDependencies {
  onError: (error: unknown, what: string) => void
}

/** The kinds a server serves: those it was made with, and those that come and go while it runs. */
export class Kinds {
  /** As they are now, in the order in which they came. */
  readonly all: Resource[] = []
  /** Of kinds it was made with; they may be filled in until the first request comes. */
  readonly hooks = new Map<string, RegistryHooks>()
  readonly #dependencies: KindsDependencies
  readonly #served = new Map<string, Served>()
  readonly #byResource = new Map<Resource, Registry>()
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #ofKind = new Map<string, Endpoint>()
  readonly #listeners = new Set<() => void>()

  constructor(dependencies: KindsDependencies) {
    this.#dependencies = dependencies
  }

  /** Adds one before anything is served; the feed fills its cache when it starts. */
  add(resource: Resource): void {
    const cache = new WatchCache(resource)
    this.#dependencies.feed.add(cache)
    const hooks: RegistryHooks = {}
    this.hooks.set(nameOf(resource), hooks)
    this.#serve(cache, hooks)
  }

  /**
   * Adds one while the server serves, or puts it in the place of the one that stands, whose watchers are ended so that
   * they come back to this one. Resolves when it is served, its objects loaded.
   */
  async put(resource: Resource): Promise<void> {
    const cache = new WatchCache(resource)
    await this.#dependencies.feed.load(cache)
    this.#forget(this.#served.get(nameOf(resource)))
    this.#serve(cache, {})
    this.#tell()
  }

  /** No longer serves a kind. */
  remove(group: string, plural: string): void {
    const served = this.#served.get(nameOf({ group, plural }))
    if (!served) return
    this.#forget(served)
    this.#dependencies.feed.remove(served.registry.cache)
    this.#tell()
  }

  find(group: string, plural: string): Registry | undefined {
    return this.#served.get(`${group}/${plural}`)?.registry
  }

  /** Throws an Error for a kind that is not served. */
  registry(group: string, plural: string): Registry {
    const found = this.find(group, plural)
    if (!found) throw new Error(`no kind is served as ${plural} in group ${JSON.stringify(group)}`)
    return found
  }

  /** The same by its value, or by its names if it is another server's value. */
  registryOf(resource: Resource): Registry {
    return this.#byResource.get(resource) ?? this.registry(resource.group, resource.plural)
  }

  endpoint(group: string, version: string, plural: string): Endpoint | undefined {
    return this.#endpoints.get(`${group}/${version}/${plural}`)
  }

  endpointOfKind(group: string, version: string, kind: string): Endpoint | undefined {
    return this.#ofKind.get(`${group}/${version}/${kind}`)
  }

  *registries(): Iterable<Registry> {
    for (const { registry } of this.#served.values()) yield registry
  }

  *hubs(): Iterable<WatchHub> {
    for (const { hub } of this.#served.values()) yield hub
  }

  /** Called whenever a kind has come, changed or gone. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  #serve(cache: WatchCache, hooks: RegistryHooks): void {
    const { resource } = cache
    const { feed, store } = this.#dependencies
    const registry = new Registry(cache, this.#dependencies, hooks)
    const hub = new WatchHub(cache, feed, store)
    const versions = resource.isStoredOnly ? resource.versions : [undefined, ...resource.versions]
    const views: Served['views'] = new Map()
    const viewOf = resource.convert ? (version: GroupVersion) => this.#view(cache, version, views) : undefined
    const endpoints = versions.map((version) => endpointOf(resource, version, registry, hub, viewOf))
    this.all.push(resource)
    this.#served.set(nameOf(resource), { registry, hub, endpoints, views })
    this.#byResource.set(resource, registry)
    for (const endpoint of endpoints) {
      this.#endpoints.set(pathOf(endpoint), endpoint)
      this.#ofKind.set(kindOf(endpoint), endpoint)
    }
  }

  #forget(served: Served | undefined): void {
    if (!served) return
    const { registry, hub, endpoints, views } = served
    const { resource } = registry
    this.all.splice(this.all.indexOf(resource), 1)
    this.#served.delete(nameOf(resource))
    this.#byResource.delete(resource)
    for (const endpoint of endpoints) {
      this.#endpoints.delete(pathOf(endpoint))
      if (this.#ofKind.get(kindOf(endpoint)) === endpoint) this.#ofKind.delete(kindOf(endpoint))
    }
    hub.stop()
    for (const view of views.values()) view.then((made) => made.stop()).catch(() => {})
  }

  /** Made when the first watch comes. */
  #view(cache: WatchCache, version: GroupVersion, views: Served['views']): Promise<WatchView> {
    let view = views.get(version.apiVersion)
    if (!view) {
      const { feed, onError } = this.#dependencies
      view = import('./extensions/custom-resources/conversion/watch-view.ts').then(
        ({ WatchView }) => new WatchView(cache, version, feed, (error) => onError(error, 'converting for watches')),
      )
      views.set(version.apiVersion, view)
    }
    return view
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

const nameOf = ({ group, plural }: { group: string; plural: string }) => `${group}/${plural}`
const pathOf = ({ group, version, resource }: Endpoint) => `${group}/${version}/${resource.plural}`
const kindOf = ({ group, version, resource }: Endpoint) => `${group}/${version}/${resource.kind}`

function endpointOf(
  resource: Resource,
  served: ServedVersion | undefined,
  registry: Registry,
  hub: WatchHub,
  viewOf: ((version: GroupVersion) => Promise<WatchView>) | undefined,
): Endpoint {
  const { group, version, schema, deprecation } = served ?? resource
  const apiVersion = apiVersionOf(group, version)
  const view = viewOf && (() => viewOf({ version, apiVersion }))
  return { registry, hub, served, resource, group, version, apiVersion, schema, view, deprecation }
}
