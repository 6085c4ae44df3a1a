import type { Affinity } from '../../api/generated/types.ts'
import { remembered } from '../../api/machinery/remembered.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { CountedPods } from './domain-counts.ts'
import { labelsKey } from './labels-key.ts'
import type { NodeInfo } from './node-info.ts'

const nobody: ReadonlySet<PodGroup> = new Set()

/** Pods that any other pod's affinity sees as the same: of one namespace, with the same labels and the same terms. */
export class PodGroup extends CountedPods {
  /** One of them. */
  readonly pod: PodInfo
  readonly key: string

  constructor(pod: PodInfo, key: string) {
    super()
    this.pod = pod
    this.key = key
  }

  get isEmpty(): boolean {
    return this.nodes.size === 0
  }
}

/** All pods that have a node, by group: a cluster has many pods, but few kinds of them. */
export class PodGroups {
  readonly #byKey = new Map<string, PodGroup>()
  readonly #byNamespace = new Map<string, Set<PodGroup>>()
  readonly #withTerms = new Set<PodGroup>()
  readonly #withRequiredAntiAffinity = new Set<PodGroup>()

  add(pod: PodInfo, node: NodeInfo): PodGroup {
    const key = keyOf(pod)
    let group = this.#byKey.get(key)
    if (!group) {
      group = new PodGroup(pod, key)
      this.#byKey.set(key, group)
      const others = this.#byNamespace.get(pod.namespace)
      if (others) others.add(group)
      else this.#byNamespace.set(pod.namespace, new Set([group]))
      const { requiredAffinity, preferredAffinity, requiredAntiAffinity, preferredAntiAffinity } = pod.terms
      if (requiredAffinity.length + preferredAffinity.length + preferredAntiAffinity.length > 0)
        this.#withTerms.add(group)
      if (requiredAntiAffinity.length > 0) this.#withRequiredAntiAffinity.add(group)
    }
    group.count(node, 1)
    return group
  }

  /** Takes off one pod of what {@link add} answered. */
  remove(group: PodGroup, node: NodeInfo): void {
    group.count(node, -1)
    if (!group.isEmpty) return
    this.#byKey.delete(group.key)
    this.#withTerms.delete(group)
    this.#withRequiredAntiAffinity.delete(group)
    const others = this.#byNamespace.get(group.pod.namespace)
    others?.delete(group)
    if (others?.size === 0) this.#byNamespace.delete(group.pod.namespace)
  }

  /** Of some namespaces, or of all. */
  *in(namespaces: ReadonlySet<string> | undefined): Iterable<PodGroup> {
    if (!namespaces) yield* this.#byKey.values()
    else for (const namespace of namespaces) yield* this.#byNamespace.get(namespace) ?? nobody
  }

  /** Those that weigh what is near them, beside refusing it. */
  get withTerms(): ReadonlySet<PodGroup> {
    return this.#withTerms
  }

  get withRequiredAntiAffinity(): ReadonlySet<PodGroup> {
    return this.#withRequiredAntiAffinity
  }

  forgetDomains(): void {
    for (const group of this.#byKey.values()) group.forgetDomains()
  }
}

/** Neither namespaces nor labels hold these separators. */
function keyOf({ namespace, labels, pod }: PodInfo): string {
  const affinity = pod.spec?.affinity
  return `${namespace}\n${labelsKey(labels)}\n${affinity ? termsOf(affinity) : ''}`
}

const termsOf = remembered(({ podAffinity, podAntiAffinity }: Affinity) =>
  podAffinity || podAntiAffinity ? JSON.stringify([podAffinity, podAntiAffinity]) : '',
)
