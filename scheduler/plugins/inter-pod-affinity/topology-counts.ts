import type { NodeInfo } from '../../cache/node-info.ts'

/** Numbers by topology key and value: of pods, or of weights. */
export class TopologyCounts {
  readonly #values = new Map<string, Map<string, number>>()

  get isEmpty(): boolean {
    return this.#values.size === 0
  }

  /** Counts for the domain of the node; a node without the label has none. */
  add(node: NodeInfo, topologyKey: string, amount: number): void {
    const domain = node.labels[topologyKey]
    if (domain === undefined) return
    let byDomain = this.#values.get(topologyKey)
    if (!byDomain) {
      byDomain = new Map()
      this.#values.set(topologyKey, byDomain)
    }
    const sum = (byDomain.get(domain) ?? 0) + amount
    if (sum !== 0) byDomain.set(domain, sum)
    else byDomain.delete(domain)
    if (byDomain.size === 0) this.#values.delete(topologyKey)
  }

  get(node: NodeInfo, topologyKey: string): number {
    const domain = node.labels[topologyKey]
    return domain === undefined ? 0 : (this.#values.get(topologyKey)?.get(domain) ?? 0)
  }

  /** The sum over all keys. */
  sum(node: NodeInfo): number {
    let sum = 0
    for (const key of this.#values.keys()) sum += this.get(node, key)
    return sum
  }

  /** Whether one of the domains the node is in has any. */
  hasAny(node: NodeInfo): boolean {
    for (const key of this.#values.keys()) if (this.get(node, key) > 0) return true
    return false
  }

  copy(): TopologyCounts {
    const copy = new TopologyCounts()
    for (const [key, byDomain] of this.#values) copy.#values.set(key, new Map(byDomain))
    return copy
  }
}
