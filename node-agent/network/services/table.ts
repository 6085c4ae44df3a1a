import type { EndpointSlice, Service } from '../../../api/generated/types.ts'
import type { Live } from '../../../client/types.ts'

/** What a source of objects tells: an informer's `on`. */
export interface Watched<T> {
  on(handler: {
    add?(object: Live<T>): void
    update?(before: Live<T>, after: Live<T>): void
    delete?(object: Live<T>): void
  }): () => void
}

/**
 * The services and their endpoint slices, put together. Names are `namespace/name`. Keeps references to the informers'
 * objects, never copies.
 */
export class ServiceTable {
  readonly #services = new Map<string, Live<Service>>()
  readonly #slices = new Map<string, Map<string, Live<EndpointSlice>>>()
  readonly #namespaces = new Map<string, number>()
  /** Which services have something to do with an address: as their own, or an endpoint's. */
  readonly #byAddress = new Map<string, Map<string, number>>()
  readonly #listeners = new Set<(service: string) => void>()

  /** Follows two informers from now on; the function returned ends it. */
  follow(services: Watched<Service>, slices: Watched<EndpointSlice>): () => void {
    const stops = [
      services.on({
        add: (service) => this.putService(service),
        update: (_, service) => this.putService(service),
        delete: (service) => this.removeService(keyOf(service)),
      }),
      slices.on({
        add: (slice) => this.putSlice(slice),
        update: (before, slice) => {
          if (ownerOf(before) !== ownerOf(slice)) this.removeSlice(before)
          this.putSlice(slice)
        },
        delete: (slice) => this.removeSlice(slice),
      }),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  /** Calls `listener` with the name of each service that changed, or whose endpoints did. */
  onChange(listener: (service: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get names(): IterableIterator<string> {
    return this.#services.keys()
  }

  service(name: string): Live<Service> | undefined {
    return this.#services.get(name)
  }

  slices(name: string): Live<EndpointSlice>[] {
    return [...(this.#slices.get(name)?.values() ?? [])]
  }

  /** True when the namespace holds a service. */
  hasNamespace(namespace: string): boolean {
    return this.#namespaces.has(namespace)
  }

  /** The services that have this address (canonical), as cluster address or as an endpoint's. */
  withAddress(address: string): string[] {
    return [...(this.#byAddress.get(address)?.keys() ?? [])]
  }

  putService(service: Live<Service>): void {
    const name = keyOf(service)
    const before = this.#services.get(name)
    if (!before) count(this.#namespaces, service.metadata.namespace ?? '', 1)
    this.#index(name, clusterIps(before), -1)
    this.#services.set(name, service)
    this.#index(name, clusterIps(service), 1)
    this.#tell(name)
  }

  removeService(name: string): void {
    const before = this.#services.get(name)
    if (!before) return
    this.#services.delete(name)
    count(this.#namespaces, before.metadata.namespace ?? '', -1)
    this.#index(name, clusterIps(before), -1)
    this.#tell(name)
  }

  putSlice(slice: Live<EndpointSlice>): void {
    const name = ownerOf(slice)
    if (name === undefined) return
    const slices = this.#slices.get(name) ?? new Map<string, Live<EndpointSlice>>()
    this.#slices.set(name, slices)
    this.#index(name, endpointIps(slices.get(slice.metadata.name)), -1)
    slices.set(slice.metadata.name, slice)
    this.#index(name, endpointIps(slice), 1)
    this.#tell(name)
  }

  removeSlice(slice: Live<EndpointSlice>): void {
    const name = ownerOf(slice)
    const slices = name === undefined ? undefined : this.#slices.get(name)
    const before = slices?.get(slice.metadata.name)
    if (name === undefined || !slices || !before) return
    slices.delete(slice.metadata.name)
    if (slices.size === 0) this.#slices.delete(name)
    this.#index(name, endpointIps(before), -1)
    this.#tell(name)
  }

  #index(name: string, addresses: readonly string[], by: 1 | -1): void {
    for (const address of addresses) {
      const services = this.#byAddress.get(address) ?? new Map<string, number>()
      count(services, name, by)
      if (services.size > 0) this.#byAddress.set(address, services)
      else this.#byAddress.delete(address)
    }
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name)
  }
}

function keyOf({ metadata }: Live<unknown>): string {
  return `${metadata.namespace}/${metadata.name}`
}

/** The service that a slice belongs to, by its label. */
function ownerOf({ metadata }: Live<EndpointSlice>): string | undefined {
  const service = metadata.labels?.['kubernetes.io/service-name']
  return service ? `${metadata.namespace}/${service}` : undefined
}

function clusterIps(service: Live<Service> | undefined): string[] {
  const { clusterIP, clusterIPs } = service?.spec ?? {}
  return (clusterIPs ?? (clusterIP ? [clusterIP] : [])).filter((ip) => ip !== '' && ip !== 'None')
}

function endpointIps(slice: Live<EndpointSlice> | undefined): string[] {
  return (slice?.endpoints ?? []).flatMap(({ addresses }) => addresses)
}

function count(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const now = (counts.get(key) ?? 0) + by
  if (now > 0) counts.set(key, now)
  else counts.delete(key)
}
