import type { DomainCounts } from '../../cache/domain-counts.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import type { Topologies, Topology } from '../../cache/topology.ts'

/** Counts that others keep, each so many times. */
interface Layer {
  readonly counts: DomainCounts
  readonly times: number
}

/** All that is known of the domains of one topology. */
interface Part {
  readonly topology: Topology
  readonly layers: Layer[]
  /** What the cycle tries out, by number of the domain. */
  own: Map<number, number> | undefined
}

/**
 * Numbers by topology key and domain: of pods, or of weights. Most of them are kept elsewhere and only referred to, so that a
 * cycle need not add up what has not changed; what is added here is what the cycle tries out.
 */
export class TopologyCounts {
  readonly #topologies: Topologies
  /** Few: one for each key that some term names. */
  readonly #parts: Part[] = []

  constructor(topologies: Topologies) {
    this.#topologies = topologies
  }

  /** Whether there is nothing at all. Only for counts of pods, of which no domain has fewer than none. */
  get isEmpty(): boolean {
    return this.#parts.every(({ layers, own }) => {
      let sum = 0
      for (const { counts, times } of layers) sum += times * counts.total
      for (const amount of own?.values() ?? []) sum += amount
      return sum === 0
    })
  }

  /** Whether nobody has counted anything yet, even if it should come to nothing. */
  get isUnused(): boolean {
    return this.#parts.length === 0
  }

  /** Of which something is known. */
  get topologies(): readonly Topology[] {
    return this.#parts.map(({ topology }) => topology)
  }

  /** The counts of some pods. They are to stay as they are for as long as these are used. */
  refer(topologyKey: string, pods: { domains(topology: Topology): DomainCounts }, times = 1): void {
    const topology = this.#topologies.of(topologyKey)
    const counts = pods.domains(topology)
    if (counts.filled > 0) this.#partOf(topology).layers.push({ counts, times })
  }

  /** Counts for the domain of the node; a node without the label has none. */
  add(node: NodeInfo, topologyKey: string, amount: number): void {
    const topology = this.#topologies.of(topologyKey)
    const domain = topology.of(node)
    if (domain < 0) return
    const part = this.#partOf(topology)
    part.own ??= new Map()
    part.own.set(domain, (part.own.get(domain) ?? 0) + amount)
  }

  get(node: NodeInfo, topologyKey: string): number {
    for (const { topology, layers, own } of this.#parts) {
      if (topology.key === topologyKey) return sumIn(layers, own, topology.domainOf[node.row] as number)
    }
    return 0
  }

  /** In the domain of one topology that the node is in. */
  in(topology: Topology, node: NodeInfo): number {
    return this.get(node, topology.key)
  }

  /** The sum over all keys. */
  sum({ row }: NodeInfo): number {
    let sum = 0
    for (let i = 0; i < this.#parts.length; i++) {
      const { topology, layers, own } = this.#parts[i] as Part
      sum += sumIn(layers, own, topology.domainOf[row] as number)
    }
    return sum
  }

  /** Whether one of the domains the node is in has any. */
  hasAny({ row }: NodeInfo): boolean {
    for (let i = 0; i < this.#parts.length; i++) {
      const { topology, layers, own } = this.#parts[i] as Part
      if (sumIn(layers, own, topology.domainOf[row] as number) > 0) return true
    }
    return false
  }

  copy(): TopologyCounts {
    const copy = new TopologyCounts(this.#topologies)
    for (const { topology, layers, own } of this.#parts) {
      copy.#parts.push({ topology, layers: [...layers], own: own && new Map(own) })
    }
    return copy
  }

  #partOf(topology: Topology): Part {
    let part = this.#parts.find((each) => each.topology === topology)
    if (!part) {
      part = { topology, layers: [], own: undefined }
      this.#parts.push(part)
    }
    return part
  }
}

function sumIn(layers: readonly Layer[], own: ReadonlyMap<number, number> | undefined, domain: number): number {
  if (!(domain >= 0)) return 0
  let sum = own?.get(domain) ?? 0
  for (let i = 0; i < layers.length; i++) {
    const { counts, times } = layers[i] as Layer
    sum += times * (counts.counts[domain] ?? 0)
  }
  return sum
}
