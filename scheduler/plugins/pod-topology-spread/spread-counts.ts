import type { Cache } from '../../cache/cache.ts'
import { DomainCounts } from '../../cache/domain-counts.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import type { Topology } from '../../cache/topology.ts'
import type { Copyable } from '../../framework/cycle-state.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { findMatching, hasAllKeys, includesAll, type Spread } from './constraints.ts'
import { allDomains, type Domains, type EligibleCountsIndex } from './eligible-counts.ts'

/** Without any domain nothing is ever ahead: upstream's largest number stands for the least count. */
const nothingIsLess = 2 ** 31 - 1

/** How many matching pods each domain of one constraint has. */
interface Tally {
  readonly topology: Topology
  /** Kept up elsewhere, and so not to be changed; a domain that is not in it has none. */
  readonly kept: DomainCounts
  readonly domains: Domains
  /** What the cycle tries out on top of what is kept. */
  tried: Map<number, number> | undefined
}

/** How many matching pods each domain of each hard constraint has. */
export class SpreadCounts implements Copyable<SpreadCounts> {
  readonly spreads: readonly Spread[]
  readonly #tallies: readonly Tally[]
  /** Whether the pod counts itself. */
  readonly #self: readonly (0 | 1)[]
  /** The least count of each constraint, until a count changes. */
  readonly #least: (number | undefined)[]

  private constructor(spreads: readonly Spread[], tallies: readonly Tally[], self: readonly (0 | 1)[]) {
    this.spreads = spreads
    this.#tallies = tallies
    this.#self = self
    this.#least = spreads.map(() => undefined)
  }

  static of(spreads: readonly Spread[], pod: PodInfo, cache: Cache, eligible: EligibleCountsIndex): SpreadCounts {
    const countsAll = includesAll(spreads, cache)
    const tallies = spreads.map((spread): Tally => {
      const topology = cache.topologies.of(spread.topologyKey)
      if (countsAll) {
        const kept = domainCounts(findMatching(cache, spread, pod.namespace), topology)
        return { topology, kept, domains: allDomains(topology), tried: undefined }
      }
      const { counts, domains } = eligible.of(spread, pod, spreads)
      return { topology, kept: counts, domains, tried: undefined }
    })
    const self = spreads.map(({ matches }) => (matches(pod.labels) ? 1 : 0))
    return new SpreadCounts(spreads, tallies, self)
  }

  /** A pod comes to the node, or with sign -1 goes. */
  count(pod: PodInfo, other: PodInfo, node: NodeInfo, sign: 1 | -1): void {
    if (other.namespace !== pod.namespace || !hasAllKeys(node.labels, this.spreads)) return
    for (const [i, spread] of this.spreads.entries()) {
      if (!spread.matches(other.labels) || !spread.includes(node)) continue
      const tally = this.#tallies[i] as Tally
      const domain = tally.topology.of(node)
      tally.tried ??= new Map()
      tally.tried.set(domain, (tally.tried.get(domain) ?? 0) + sign)
      this.#least[i] = undefined
    }
  }

  /** How far the domain of the node would be ahead of the emptiest one with the pod in it; undefined without a domain. */
  skew(i: number, node: NodeInfo): number | undefined {
    const tally = this.#tallies[i] as Tally
    const domain = tally.topology.of(node)
    if (domain < 0) return undefined
    // With too few domains, one that is not there yet is the emptiest.
    const least = tally.domains.size < (this.spreads[i] as Spread).minDomains ? 0 : this.#leastOf(i, tally)
    return countIn(tally, domain) + (this.#self[i] as number) - least
  }

  /** What tells nodes apart: the domain; or, where each node has one of its own, how many pods are there. */
  kindOf(node: NodeInfo): string {
    let kind = ''
    for (const tally of this.#tallies) {
      const domain = tally.topology.of(node)
      kind += domain < 0 ? '-,' : `${tally.topology.isOneEach ? countIn(tally, domain) : domain},`
    }
    return kind
  }

  /** What {@link kindOf} goes by. */
  get kindsKey(): string {
    return this.spreads
      .map(({ topologyKey, selector }, i) =>
        JSON.stringify([topologyKey, selector, (this.#tallies[i] as Tally).topology.isOneEach]),
      )
      .join()
  }

  /** Of the i-th constraint, by what nodes say in its label. */
  byDomain(i: number, nodes: readonly NodeInfo[]): Map<string, number> {
    const tally = this.#tallies[i] as Tally
    const counts = new Map<string, number>()
    for (const node of nodes) {
      const domain = tally.topology.of(node)
      if (domain < 0 || !tally.domains.has(domain)) continue
      counts.set(node.labels[tally.topology.key] ?? '', countIn(tally, domain))
    }
    return counts
  }

  copy(): SpreadCounts {
    const tallies = this.#tallies.map((tally): Tally => ({ ...tally, tried: tally.tried && new Map(tally.tried) }))
    return new SpreadCounts(this.spreads, tallies, this.#self)
  }

  #leastOf(i: number, tally: Tally): number {
    let least = this.#least[i]
    if (least === undefined) {
      least = leastOf(tally)
      this.#least[i] = least
    }
    return least
  }
}

const countIn = ({ kept, tried }: Tally, domain: number): number => kept.get(domain) + (tried?.get(domain) ?? 0)

function leastOf(tally: Tally): number {
  const { domains, kept, tried } = tally
  if (!tried) return kept.filled < domains.size ? 0 : Math.min(nothingIsLess, kept.least)
  let least = nothingIsLess
  for (const domain of domains.numbers()) least = Math.min(least, countIn(tally, domain))
  return least
}

/** Those of the only pods that match, or of all of them put together. */
export function domainCounts(
  found: readonly { domains(topology: Topology): DomainCounts }[],
  topology: Topology,
): DomainCounts {
  const [only] = found
  if (only && found.length === 1) return only.domains(topology)
  const sum = new DomainCounts()
  for (const each of found) {
    const { counts } = each.domains(topology)
    for (let domain = 0; domain < counts.length; domain++) {
      const count = counts[domain] as number
      if (count !== 0) sum.add(domain, count)
    }
  }
  return sum
}
