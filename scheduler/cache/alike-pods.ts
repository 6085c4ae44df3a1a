import type { LabelMatcher, Labels } from '../../api/machinery/labels.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { NodeInfo } from './node-info.ts'

/** Pods of one namespace with the very same labels. */
export interface AlikePods {
  readonly labels: Labels
  /** How many of them each node has. */
  readonly nodes: Map<NodeInfo, number>
  readonly key: string
  /** The entries it is found under. */
  readonly under: readonly string[]
}

/** What pods are looked for by. */
export interface PodSearch {
  readonly namespace: string
  readonly matches: LabelMatcher
  /** Labels that all of them must have, as far as the selector says so outright. */
  readonly required: Labels
}

const nothing: ReadonlyMap<NodeInfo, number> = new Map()

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
    const pairs = Object.entries(pod.labels).map(([key, value]) => entryOf(pod.namespace, key, value))
    const key = pairs.length === 0 ? entryOf(pod.namespace) : pairs.sort().join('\n')
    let alike = this.#byKey.get(key)
    if (!alike) {
      alike = { labels: pod.labels, nodes: new Map(), key, under: [entryOf(pod.namespace), ...pairs] }
      this.#byKey.set(key, alike)
      for (const entry of alike.under) {
        const set = this.#found.get(entry)
        if (set) set.add(alike)
        else this.#found.set(entry, new Set([alike]))
      }
    }
    alike.nodes.set(node, (alike.nodes.get(node) ?? 0) + 1)
    return alike
  }

  /** Takes off one pod of what {@link add} answered. */
  remove(alike: AlikePods, node: NodeInfo): void {
    const count = (alike.nodes.get(node) ?? 0) - 1
    if (count > 0) alike.nodes.set(node, count)
    else alike.nodes.delete(node)
    if (alike.nodes.size > 0) return
    this.#byKey.delete(alike.key)
    for (const entry of alike.under) {
      const set = this.#found.get(entry)
      set?.delete(alike)
      if (set?.size === 0) this.#found.delete(entry)
    }
  }

  /** How many pods that match each node has; nodes with none are left out. */
  countByNode({ namespace, matches, required }: PodSearch): ReadonlyMap<NodeInfo, number> {
    let fewest = this.#found.get(entryOf(namespace))
    for (const [key, value] of Object.entries(required)) {
      const some = this.#found.get(entryOf(namespace, key, value))
      if (!some) return nothing
      if (!fewest || some.size < fewest.size) fewest = some
    }
    if (!fewest) return nothing
    const matching = [...fewest].filter(({ labels }) => matches(labels))
    const [only] = matching
    if (!only) return nothing
    if (matching.length === 1) return only.nodes
    const counts = new Map<NodeInfo, number>()
    for (const { nodes } of matching) {
      for (const [node, count] of nodes) counts.set(node, (counts.get(node) ?? 0) + count)
    }
    return counts
  }
}

/** Neither a namespace nor a label holds these separators. */
const entryOf = (namespace: string, key = '', value = ''): string => `${namespace}/${key}\t${value}`
