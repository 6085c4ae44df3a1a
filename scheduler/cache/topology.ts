import type { NodeInfo } from './node-info.ts'

/** Of a node that does not exist, and of one that is in no domain. */
const absent = -2
const none = -1

/** The domains that one node label tells apart, as numbers: what counts by domain counts in arrays. */
export class Topology {
  readonly key: string
  /** By row of the node: the number of its domain; below 0 for a node that is in none. */
  domainOf = new Int32Array(64).fill(absent)
  readonly #numbers = new Map<string, number>()
  /** How many nodes each domain has. */
  readonly #nodesIn: number[] = []
  #domains = 0
  #inside = 0
  #outside = 0

  constructor(key: string) {
    this.key = key
  }

  /** How many domains have nodes. */
  get domains(): number {
    return this.#domains
  }

  /** Whether no two nodes share a domain, as with host names. */
  get isOneEach(): boolean {
    return this.#inside === this.#domains
  }

  /** How many nodes are in no domain. */
  get outside(): number {
    return this.#outside
  }

  /** Of the domains that have nodes. */
  *numbers(): Iterable<number> {
    for (const [domain, nodes] of this.#nodesIn.entries()) if ((nodes ?? 0) > 0) yield domain
  }

  /** Below 0 for a node that is in none. */
  of({ row }: NodeInfo): number {
    return this.domainOf[row] ?? absent
  }

  /** A node is new, has changed, or has gone. */
  set({ row, node, labels }: NodeInfo): void {
    const before = this.domainOf[row] ?? absent
    const after = node === undefined ? absent : this.#numberOf(labels[this.key])
    if (before === after) return
    if (row >= this.domainOf.length) this.domainOf = longer(this.domainOf, row + 1)
    this.domainOf[row] = after
    this.#count(before, -1)
    this.#count(after, 1)
  }

  #count(domain: number, sign: 1 | -1): void {
    if (domain === none) this.#outside += sign
    if (domain < 0) return
    this.#inside += sign
    const nodes = (this.#nodesIn[domain] ?? 0) + sign
    if (nodes === 0) this.#domains--
    else if (nodes === 1 && sign === 1) this.#domains++
    this.#nodesIn[domain] = nodes
  }

  #numberOf(domain: string | undefined): number {
    if (domain === undefined) return none
    let number = this.#numbers.get(domain)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(domain, number)
    }
    return number
  }
}

function longer(numbers: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(Math.max(length, numbers.length * 2)).fill(absent)
  copy.set(numbers)
  return copy
}

/** The topologies that somebody has asked for, each kept up from then on. */
export class Topologies {
  readonly #nodes: () => Iterable<NodeInfo>
  readonly #byKey = new Map<string, Topology>()

  constructor(nodes: () => Iterable<NodeInfo>) {
    this.#nodes = nodes
  }

  of(key: string): Topology {
    let topology = this.#byKey.get(key)
    if (!topology) {
      topology = new Topology(key)
      for (const node of this.#nodes()) topology.set(node)
      this.#byKey.set(key, topology)
    }
    return topology
  }

  /** A node is new, has changed, or has gone. */
  set(node: NodeInfo): void {
    for (const topology of this.#byKey.values()) topology.set(node)
  }
}
