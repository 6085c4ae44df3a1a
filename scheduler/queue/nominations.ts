import type { PodInfo } from '../framework/pod-info.ts'

const nobody: readonly PodInfo[] = []

/** Pods that have been promised a node where room is being made; others of no higher priority leave them that room. */
export class Nominations {
  readonly #byNode = new Map<string, readonly PodInfo[]>()
  readonly #nodeOf = new Map<string, string>()

  /** An empty node name takes an earlier promise back. */
  set(pod: PodInfo, nodeName: string): void {
    this.delete(pod.uid)
    if (nodeName === '') return
    this.#nodeOf.set(pod.uid, nodeName)
    this.#byNode.set(nodeName, [...this.on(nodeName), pod])
  }

  delete(uid: string): void {
    const nodeName = this.#nodeOf.get(uid)
    if (nodeName === undefined) return
    this.#nodeOf.delete(uid)
    const left = this.on(nodeName).filter((pod) => pod.uid !== uid)
    if (left.length > 0) this.#byNode.set(nodeName, left)
    else this.#byNode.delete(nodeName)
  }

  /** Whether nobody has been promised anything. */
  get isEmpty(): boolean {
    return this.#nodeOf.size === 0
  }

  /** The same list for as long as nothing has changed about it. */
  on(nodeName: string): readonly PodInfo[] {
    return this.#byNode.get(nodeName) ?? nobody
  }

  /** Those that somebody has been promised. */
  nodes(): Iterable<string> {
    return this.#byNode.keys()
  }

  nodeOf(uid: string): string {
    return this.#nodeOf.get(uid) ?? ''
  }
}
