import type { NodeInfo } from './node-info.ts'
import type { Topology } from './topology.ts'

/** How many pods each domain of a topology has, by the domain's number. */
export class DomainCounts {
  counts = new Int32Array(8)
  /** How many domains have just so many; 0 is left out. */
  readonly #domainsWith = new Map<number, number>()
  #filled = 0
  #total = 0

  /** How many domains have any. */
  get filled(): number {
    return this.#filled
  }

  /** How many there are in all. */
  get total(): number {
    return this.#total
  }

  get(domain: number): number {
    return domain < 0 ? 0 : (this.counts[domain] ?? 0)
  }

  /** The least of those that have any. */
  get least(): number {
    let least = Number.POSITIVE_INFINITY
    for (const count of this.#domainsWith.keys()) if (count < least) least = count
    return least
  }

  add(domain: number, amount: number): void {
    if (domain < 0) return
    if (domain >= this.counts.length) {
      const longer = new Int32Array(Math.max(domain + 1, this.counts.length * 2))
      longer.set(this.counts)
      this.counts = longer
    }
    const before = this.counts[domain] as number
    const after = before + amount
    this.counts[domain] = after
    this.#total += amount
    this.#move(before, -1)
    this.#move(after, 1)
  }

  #move(count: number, sign: 1 | -1): void {
    if (count === 0) return
    this.#filled += sign
    const domains = (this.#domainsWith.get(count) ?? 0) + sign
    if (domains > 0) this.#domainsWith.set(count, domains)
    else this.#domainsWith.delete(count)
  }
}

/** Pods that are counted together, by node and by the domains of every topology that somebody has asked for. */
export class CountedPods {
  /** How many of them each node has. Read it, and do not keep it. */
  readonly nodes = new Map<NodeInfo, number>()
  readonly #domains = new Map<Topology, DomainCounts>()

  /** Nodes that are in no domain count for none. Read it, and do not keep it. */
  domains(topology: Topology): DomainCounts {
    let counts = this.#domains.get(topology)
    if (!counts) {
      counts = new DomainCounts()
      for (const [node, count] of this.nodes) counts.add(topology.of(node), count)
      this.#domains.set(topology, counts)
    }
    return counts
  }

  count(node: NodeInfo, sign: 1 | -1): void {
    const sum = (this.nodes.get(node) ?? 0) + sign
    if (sum > 0) this.nodes.set(node, sum)
    else this.nodes.delete(node)
    for (const [topology, counts] of this.#domains) counts.add(topology.of(node), sign)
  }

  /** A node has come to be in other domains. */
  forgetDomains(): void {
    this.#domains.clear()
  }
}
