import type { ConfigMap, Secret } from '../../api/generated/types.ts'
import { isNotFound } from '../../client/errors.ts'
import { Informer } from '../../client/informer.ts'
import { configMaps, secrets } from '../../client/resources.ts'
import type { Api, Clock, Live, ResourceRef } from '../../client/types.ts'
import type { ReferencedObjects } from '../containers/env.ts'
import type { BoundPod } from '../pods/types.ts'
import { referencesOf } from './references.ts'

interface Watched<T> {
  informer: Informer<T>
  started: Promise<void>
  abort: AbortController
  /** The pods that refer to it. */
  users: Set<string>
}

/** The config maps and secrets of this node's pods, each watched by itself as long as some pod refers to it. */
export class ObjectWatches implements ReferencedObjects {
  readonly #api: Api
  readonly #clock: Clock
  readonly #onChange: (podUids: readonly string[]) => void
  readonly #configMaps = new Map<string, Watched<ConfigMap>>()
  readonly #secrets = new Map<string, Watched<Secret>>()

  /** `onChange` hears of the pods that refer to an object that has changed, appeared or gone. */
  constructor(api: Api, clock: Clock, onChange: (podUids: readonly string[]) => void) {
    this.#api = api
    this.#clock = clock
    this.#onChange = onChange
  }

  /** Watches what the pod refers to, and lets go of what it no longer does. */
  retain(pod: BoundPod): void {
    const names = referencesOf(pod)
    this.#adjust(this.#configMaps, configMaps, pod, names.configMaps)
    this.#adjust(this.#secrets, secrets, pod, names.secrets)
  }

  release(uid: string): void {
    for (const map of [this.#configMaps, this.#secrets] as Map<string, Watched<unknown>>[]) {
      for (const [key, watched] of map) this.#letGo(map, key, watched, uid)
    }
  }

  stop(): void {
    for (const map of [this.#configMaps, this.#secrets] as Map<string, Watched<unknown>>[]) {
      for (const { abort } of map.values()) abort.abort()
      map.clear()
    }
  }

  configMap(namespace: string, name: string): Promise<Live<ConfigMap> | undefined> {
    return this.#get(this.#configMaps, configMaps, namespace, name)
  }

  secret(namespace: string, name: string): Promise<Live<Secret> | undefined> {
    return this.#get(this.#secrets, secrets, namespace, name)
  }

  async #get<T>(
    map: ReadonlyMap<string, Watched<T>>,
    ref: ResourceRef<T>,
    namespace: string,
    name: string,
  ): Promise<Live<T> | undefined> {
    const watched = map.get(`${namespace}/${name}`)
    if (watched) {
      await watched.started
      const known = watched.informer.lister.get(namespace, name)
      if (known) return known
    }
    // Not there as far as the watch knows: it may be a moment behind.
    try {
      return await this.#api.get(ref, { namespace, name })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  #adjust<T>(
    map: Map<string, Watched<T>>,
    ref: ResourceRef<T>,
    { metadata }: BoundPod,
    names: ReadonlySet<string>,
  ): void {
    for (const [key, watched] of map) {
      const [namespace, name = ''] = key.split('/')
      if (namespace === metadata.namespace && !names.has(name)) this.#letGo(map, key, watched, metadata.uid)
    }
    for (const name of names) {
      const key = `${metadata.namespace}/${name}`
      const watched = map.get(key) ?? this.#watch(ref, metadata.namespace, name)
      watched.users.add(metadata.uid)
      map.set(key, watched)
    }
  }

  #letGo<T>(map: Map<string, Watched<T>>, key: string, watched: Watched<T>, uid: string): void {
    if (!watched.users.delete(uid) || watched.users.size > 0) return
    watched.abort.abort()
    map.delete(key)
  }

  #watch<T>(ref: ResourceRef<T>, namespace: string, name: string): Watched<T> {
    const informer = new Informer<T>(this.#api, ref, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
      clock: this.#clock,
    })
    const abort = new AbortController()
    const users = new Set<string>()
    const tell = (): void => {
      if (informer.synced) this.#onChange([...users])
    }
    informer.on({ add: tell, update: tell, delete: tell })
    const started = informer.start(abort.signal).catch(() => undefined)
    return { informer, started, abort, users }
  }
}
