import type { Cache } from '../../cache/cache.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import type { Copyable } from '../../framework/cycle-state.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { countMatching, hasAllKeys, type Spread } from './constraints.ts'

/** How many matching pods each domain of each hard constraint has. */
export class SpreadCounts implements Copyable<SpreadCounts> {
  readonly spreads: readonly Spread[]
  readonly #counts: readonly Map<string, number>[]
  /** The least count of each constraint, until a count changes. */
  readonly #least: (number | undefined)[]

  constructor(spreads: readonly Spread[], counts: readonly Map<string, number>[] = spreads.map(() => new Map())) {
    this.spreads = spreads
    this.#counts = counts
    this.#least = spreads.map(() => undefined)
  }

  static of(spreads: readonly Spread[], pod: PodInfo, nodes: readonly NodeInfo[], cache: Cache): SpreadCounts {
    const counts = new SpreadCounts(spreads)
    const byNode = spreads.map((spread) => countMatching(cache, spread, pod.namespace))
    for (const node of nodes) {
      if (!hasAllKeys(node.labels, spreads)) continue
      for (const [i, spread] of spreads.entries()) {
        if (spread.includes(node)) counts.#add(i, node, byNode[i]?.get(node) ?? 0)
      }
    }
    return counts
  }

  /** A pod comes to the node, or with sign -1 goes. */
  count(pod: PodInfo, other: PodInfo, node: NodeInfo, sign: 1 | -1): void {
    if (other.namespace !== pod.namespace || !hasAllKeys(node.labels, this.spreads)) return
    for (const [i, spread] of this.spreads.entries()) {
      if (spread.matches(other.labels) && spread.includes(node)) this.#add(i, node, sign)
    }
  }

  /** How far the domain would be ahead of the emptiest one with the pod in it. */
  skew(i: number, pod: PodInfo, domain: string): number {
    const spread = this.spreads[i] as Spread
    const counts = this.#counts[i] as Map<string, number>
    const self = spread.matches(pod.labels) ? 1 : 0
    // With too few domains, one that is not there yet is the emptiest.
    const least = counts.size < spread.minDomains ? 0 : this.#leastOf(i, counts)
    return (counts.get(domain) ?? 0) + self - least
  }

  /** Of the i-th constraint. */
  byDomain(i: number): ReadonlyMap<string, number> {
    return this.#counts[i] ?? new Map()
  }

  copy(): SpreadCounts {
    return new SpreadCounts(
      this.spreads,
      this.#counts.map((counts) => new Map(counts)),
    )
  }

  #leastOf(i: number, counts: Map<string, number>): number {
    let least = this.#least[i]
    if (least === undefined) {
      // Without any domain nothing is ever ahead: upstream's largest number stands for the least count.
      least = 2 ** 31 - 1
      for (const count of counts.values()) least = Math.min(least, count)
      this.#least[i] = least
    }
    return least
  }

  #add(i: number, node: NodeInfo, amount: number): void {
    const { topologyKey } = this.spreads[i] as Spread
    const counts = this.#counts[i] as Map<string, number>
    const domain = node.labels[topologyKey] as string
    counts.set(domain, (counts.get(domain) ?? 0) + amount)
    this.#least[i] = undefined
  }
}
