import type { Cache } from '../../cache/cache.ts'
import { DomainCounts } from '../../cache/domain-counts.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import type { Topology } from '../../cache/topology.ts'
import { idOf } from '../../framework/identity.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { findMatching, hasAllKeys, type Spread } from './constraints.ts'

/** The domains that a constraint compares. */
export interface Domains {
  readonly size: number
  has(domain: number): boolean
  numbers(): Iterable<number>
}

/** Matching pods by domain where only some nodes count. Read it at once: it changes with the next pod. */
export interface EligibleCounts {
  readonly counts: DomainCounts
  /** Those with nodes that count. */
  readonly domains: Domains
}

const mostKept = 64
const notCounted = -1

/**
 * What constraints count where they leave nodes out. To look at every node anew would make each pod pay for the size of the
 * cluster; so the counts of a template's pods are kept, and only the nodes that have changed since the last pod are looked at.
 */
export class EligibleCountsIndex {
  readonly #cache: Cache
  /** The last to be used is the last to be forgotten. */
  readonly #kept = new Map<string, Kept>()

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** `all` are the constraints whose labels a node must have to count at all. */
  of(spread: Spread, pod: PodInfo, all: readonly Spread[]): EligibleCounts {
    const key = keyOf(spread, pod, all)
    const kept = this.#kept.get(key) ?? new Kept(this.#cache.topologies.of(spread.topologyKey))
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    if (this.#kept.size > mostKept) this.#kept.delete(this.#kept.keys().next().value as string)
    kept.update(this.#cache, spread, pod.namespace, all)
    return kept
  }
}

/** What decides about nodes and pods. Pods of one template share the parts that are compared by identity. */
function keyOf(
  { topologyKey, selector, policies }: Spread,
  { namespace, pod, tolerations }: PodInfo,
  all: readonly Spread[],
) {
  const parts = [idOf(pod.spec?.nodeSelector), idOf(pod.spec?.affinity), idOf(tolerations)]
  return JSON.stringify([namespace, topologyKey, selector, policies, ...parts, ...all.map((each) => each.topologyKey)])
}

class Kept implements EligibleCounts {
  readonly counts = new DomainCounts()
  /** How many nodes that count each domain has. */
  readonly #nodesIn = new DomainCounts()
  readonly #topology: Topology
  /** By row: the domain a node counts for, and how many pods it was found to have. */
  #domainOf = new Int32Array(64).fill(notCounted)
  #countOf = new Int32Array(64)
  #seen = 0

  constructor(topology: Topology) {
    this.#topology = topology
  }

  readonly domains: Domains = ((nodesIn: DomainCounts) => ({
    get size() {
      return nodesIn.filled
    },
    has: (domain: number) => nodesIn.get(domain) > 0,
    *numbers() {
      for (let domain = 0; domain < nodesIn.counts.length; domain++) if (nodesIn.get(domain) > 0) yield domain
    },
  }))(this.#nodesIn)

  update(cache: Cache, spread: Spread, namespace: string, all: readonly Spread[]): void {
    if (this.#seen === cache.changes.now) return
    const found = findMatching(cache, spread, namespace)
    const matching = (node: NodeInfo) => found.reduce((sum, { nodes }) => sum + (nodes.get(node) ?? 0), 0)
    cache.changes.since(this.#seen, (row) => {
      const node = cache.nodeAt(row)
      const isCounted = node !== undefined && hasAllKeys(node.labels, all) && spread.includes(node)
      this.#set(row, isCounted ? this.#topology.of(node) : notCounted, isCounted ? matching(node) : 0)
    })
    this.#seen = cache.changes.now
  }

  #set(row: number, domain: number, count: number): void {
    if (row >= this.#domainOf.length) this.#grow(row + 1)
    const before = this.#domainOf[row] as number
    if (before !== domain) {
      this.#nodesIn.add(before, -1)
      this.#nodesIn.add(domain, 1)
    }
    const had = this.#countOf[row] as number
    if (before !== domain || had !== count) {
      this.counts.add(before, -had)
      this.counts.add(domain, count)
    }
    this.#domainOf[row] = domain
    this.#countOf[row] = count
  }

  #grow(rows: number): void {
    const length = Math.max(rows, this.#domainOf.length * 2)
    const [domains, counts] = [new Int32Array(length).fill(notCounted), new Int32Array(length)]
    domains.set(this.#domainOf)
    counts.set(this.#countOf)
    this.#domainOf = domains
    this.#countOf = counts
  }
}

/** Every domain that has nodes. */
export const allDomains = (topology: Topology): Domains => ({
  get size() {
    return topology.domains
  },
  has: (domain) => domain >= 0,
  numbers: () => topology.numbers(),
})
