import type { NodeInfo } from '../../cache/node-info.ts'

/** Counts that others keep, each so many times. */
interface Layer {
  counts: ReadonlyMap<string, number>
  times: number
}

/**
 * Numbers by topology key and domain: of pods, or of weights. Most of them are kept elsewhere and only referred to, so that a
 * cycle need not add up what has not changed; what is added here is what the cycle tries out.
 */
export class TopologyCounts {
  readonly #layers = new Map<string, Layer[]>()
  readonly #own = new Map<string, Map<string, number>>()

  get isEmpty(): boolean {
    if (this.#own.size === 0) return this.#layers.size === 0
    for (const key of this.#keys()) {
      const domains = new Set(this.#own.get(key)?.keys())
      for (const { counts } of this.#layers.get(key) ?? []) for (const domain of counts.keys()) domains.add(domain)
      for (const domain of domains) if (this.#of(key, domain) !== 0) return false
    }
    return true
  }

  /** They are to stay as they are for as long as these are used. */
  refer(topologyKey: string, counts: ReadonlyMap<string, number>, times = 1): void {
    if (counts.size === 0) return
    const layers = this.#layers.get(topologyKey)
    if (layers) layers.push({ counts, times })
    else this.#layers.set(topologyKey, [{ counts, times }])
  }

  /** Counts for the domain of the node; a node without the label has none. */
  add(node: NodeInfo, topologyKey: string, amount: number): void {
    const domain = node.labels[topologyKey]
    if (domain === undefined) return
    let own = this.#own.get(topologyKey)
    if (!own) {
      own = new Map()
      this.#own.set(topologyKey, own)
    }
    own.set(domain, (own.get(domain) ?? 0) + amount)
  }

  get(node: NodeInfo, topologyKey: string): number {
    const domain = node.labels[topologyKey]
    return domain === undefined ? 0 : this.#of(topologyKey, domain)
  }

  /** The sum over all keys. */
  sum(node: NodeInfo): number {
    let sum = 0
    for (const key of this.#keys()) sum += this.get(node, key)
    return sum
  }

  /** Whether one of the domains the node is in has any. */
  hasAny(node: NodeInfo): boolean {
    for (const key of this.#keys()) if (this.get(node, key) > 0) return true
    return false
  }

  copy(): TopologyCounts {
    const copy = new TopologyCounts()
    for (const [key, layers] of this.#layers) copy.#layers.set(key, [...layers])
    for (const [key, own] of this.#own) copy.#own.set(key, new Map(own))
    return copy
  }

  #of(key: string, domain: string): number {
    let sum = this.#own.get(key)?.get(domain) ?? 0
    const layers = this.#layers.get(key)
    if (layers) for (const { counts, times } of layers) sum += times * (counts.get(domain) ?? 0)
    return sum
  }

  *#keys(): Iterable<string> {
    yield* this.#layers.keys()
    for (const key of this.#own.keys()) if (!this.#layers.has(key)) yield key
  }
}
