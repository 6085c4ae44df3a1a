import type { PodInfo } from '../framework/pod-info.ts'

const nobody: ReadonlyMap<string, PodInfo> = new Map()

/** The pods of every gang, be they on nodes or waiting; those that are about to go are none of it. */
export class Gangs {
  readonly #members = new Map<string, Map<string, PodInfo>>()
  readonly #keyOf = new Map<string, string>()

  /** A pod is new, or has changed. */
  set(pod: PodInfo): void {
    const key = pod.terminating ? undefined : gangKey(pod)
    if (this.#keyOf.get(pod.uid) !== key) this.delete(pod.uid)
    if (key === undefined) return
    this.#keyOf.set(pod.uid, key)
    const members = this.#members.get(key)
    if (members) members.set(pod.uid, pod)
    else this.#members.set(key, new Map([[pod.uid, pod]]))
  }

  delete(uid: string): void {
    const key = this.#keyOf.get(uid)
    if (key === undefined) return
    this.#keyOf.delete(uid)
    const members = this.#members.get(key)
    members?.delete(uid)
    if (members?.size === 0) this.#members.delete(key)
  }

  /** By uid. */
  members(key: string): ReadonlyMap<string, PodInfo> {
    return this.#members.get(key) ?? nobody
  }
}

/** What gangs are known by: undefined for a pod of none. */
export const gangKey = ({ namespace, gang }: PodInfo): string | undefined => gang && `${namespace}/${gang.name}`
