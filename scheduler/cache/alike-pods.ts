import type { LabelMatcher, Labels } from '../../api/machinery/labels.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { CountedPods } from './domain-counts.ts'
import { labelsKey } from './labels-key.ts'
import type { NodeInfo } from './node-info.ts'

/** Pods of one namespace with the very same labels. */
export class AlikePods extends CountedPods {
  readonly labels: Labels
  readonly key: string
  /** The entries it is found under. */
  readonly under: readonly string[]

  constructor(labels: Labels, key: string, under: readonly string[]) {
    super()
    this.labels = labels
    this.key = key
    this.under = under
  }
}

/** What pods are looked for by. */
export interface PodSearch {
  readonly namespace: string
  readonly matches: LabelMatcher
  /** Labels that all of them must have, as far as the selector says so outright. */
  readonly required: Labels
}

const nothing: ReadonlyMap<NodeInfo, number> = new Map()
const nobody: readonly AlikePods[] = []

/**
 * Where the pods with given labels are, without a look at all the others: a cluster has many pods, but few kinds of them.
 * Pods that are about to go are not counted by anybody who asks.
 */
export class AlikePodsIndex {
  readonly #byKey = new Map<string, AlikePods>()
  /** By namespace, and by namespace and one label. */
  readonly #found = new Map<string, Set<AlikePods>>()

  /** Undefined for a pod that is about to go. */
  add(pod: PodInfo, node: NodeInfo): AlikePods | undefined {
    if (pod.terminating) return undefined
    const key = `${entryOf(pod.namespace)}\n${labelsKey(pod.labels)}`
    let alike = this.#byKey.get(key)
    if (!alike) {
      const pairs = Object.entries(pod.labels).map(([name, value]) => entryOf(pod.namespace, name, value))
      alike = new AlikePods(pod.labels, key, [entryOf(pod.namespace), ...pairs])
      this.#byKey.set(key, alike)
      for (const entry of alike.under) {
        const set = this.#found.get(entry)
        if (set) set.add(alike)
        else this.#found.set(entry, new Set([alike]))
      }
    }
    alike.count(node, 1)
    return alike
  }

  /** Takes off one pod of what {@link add} answered. */
  remove(alike: AlikePods, node: NodeInfo): void {
    alike.count(node, -1)
    if (alike.nodes.size > 0) return
    this.#byKey.delete(alike.key)
    for (const entry of alike.under) {
      const set = this.#found.get(entry)
      set?.delete(alike)
      if (set?.size === 0) this.#found.delete(entry)
    }
  }

  /** All that match: few, where pods come from few templates. */
  find({ namespace, matches, required }: PodSearch): readonly AlikePods[] {
    let fewest = this.#found.get(entryOf(namespace))
    for (const [key, value] of Object.entries(required)) {
      const some = this.#found.get(entryOf(namespace, key, value))
      if (!some) return nobody
      if (!fewest || some.size < fewest.size) fewest = some
    }
    return fewest ? [...fewest].filter(({ labels }) => matches(labels)) : nobody
  }

  /** A node has come to be in other domains. */
  forgetDomains(): void {
    for (const alike of this.#byKey.values()) alike.forgetDomains()
  }
}

/** How many of the pods each node has; nodes with none are left out. */
export function countByNode(found: readonly AlikePods[]): ReadonlyMap<NodeInfo, number> {
  const [only] = found
  if (!only) return nothing
  if (found.length === 1) return only.nodes
  const counts = new Map<NodeInfo, number>()
  for (const { nodes } of found) {
    for (const [node, count] of nodes) counts.set(node, (counts.get(node) ?? 0) + count)
  }
  return counts
}

/** Neither a namespace nor a label holds these separators. */
const entryOf = (namespace: string, key = '', value = ''): string => `${namespace}/${key}\t${value}`
