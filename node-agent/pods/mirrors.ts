import { isAlreadyExists, isNotFound } from '../../client/errors.ts'
import type { Logger } from '../../client/logger.ts'
import { pods } from '../../client/resources.ts'
import type { Api } from '../../client/types.ts'
import { hashAnnotation, mirrorAnnotation, mirrorOf } from './static.ts'
import type { BoundPod } from './types.ts'
import type { PodWorkers } from './workers.ts'

const keyOf = ({ metadata }: BoundPod): string => `${metadata.namespace}/${metadata.name}`

/** Static pods and the objects that stand for them in the API, kept alike. */
export class Mirrors {
  readonly #api: Api
  readonly #workers: PodWorkers
  readonly #nodeUid: () => string | undefined
  readonly #log: Logger
  readonly #static = new Map<string, BoundPod>()
  readonly #mirrors = new Map<string, BoundPod>()
  readonly #busy = new Set<string>()

  constructor(api: Api, workers: PodWorkers, nodeUid: () => string | undefined, log: Logger) {
    this.#api = api
    this.#workers = workers
    this.#nodeUid = nodeUid
    this.#log = log
  }

  /** Whether the object only stands for a static pod. */
  static isMirror = (pod: BoundPod): boolean => pod.metadata.annotations?.[mirrorAnnotation] !== undefined

  /** These are the static pods now. */
  setStatic(list: readonly BoundPod[]): void {
    const now = new Map(list.map((pod) => [keyOf(pod), pod]))
    for (const [key, pod] of this.#static) {
      if (now.get(key)?.metadata.uid !== pod.metadata.uid) this.#workers.remove(pod.metadata.uid)
    }
    const keys = new Set([...this.#static.keys(), ...now.keys()])
    this.#static.clear()
    for (const [key, pod] of now) {
      this.#static.set(key, pod)
      if (!this.#workers.get(pod.metadata.uid)) this.#workers.set(pod)
    }
    for (const key of keys) this.#reconcile(key)
  }

  setMirror(mirror: BoundPod): void {
    this.#mirrors.set(keyOf(mirror), mirror)
    this.#reconcile(keyOf(mirror))
  }

  removeMirror(mirror: BoundPod): void {
    const key = keyOf(mirror)
    if (this.#mirrors.get(key)?.metadata.uid !== mirror.metadata.uid) return
    this.#mirrors.delete(key)
    const pod = this.#static.get(key)
    if (pod) this.#workers.get(pod.metadata.uid)?.show(undefined)
    this.#reconcile(key)
  }

  #reconcile(key: string): void {
    if (this.#busy.has(key)) return
    const pod = this.#static.get(key)
    const mirror = this.#mirrors.get(key)
    const fits = pod && mirror?.metadata.annotations?.[mirrorAnnotation] === pod.metadata.annotations?.[hashAnnotation]
    if (pod && mirror && fits && mirror.metadata.deletionTimestamp === undefined) {
      this.#workers.get(pod.metadata.uid)?.show(mirror)
      return
    }
    if (!pod && !mirror) return
    this.#busy.add(key)
    const work = mirror ? this.#delete(mirror) : this.#create(pod as BoundPod)
    void work
      .catch((error) => this.#log.warn({ err: error, pod: key }, 'the mirror of a static pod cannot be kept'))
      .finally(() => this.#busy.delete(key))
  }

  async #delete({ metadata }: BoundPod): Promise<void> {
    const { name, namespace, uid } = metadata
    await this.#api
      .delete(pods, { name, namespace }, { gracePeriodSeconds: 0, preconditions: { uid } })
      .catch((error) => {
        if (!isNotFound(error)) throw error
      })
  }

  async #create(pod: BoundPod): Promise<void> {
    await this.#api.create(pods, mirrorOf(pod, this.#nodeUid())).catch((error) => {
      if (!isAlreadyExists(error)) throw error
    })
  }
}
