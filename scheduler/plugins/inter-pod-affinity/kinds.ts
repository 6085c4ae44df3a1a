import type { NodeInfo } from '../../cache/node-info.ts'
import type { Topology } from '../../cache/topology.ts'
import type { Kinds } from '../../framework/plugin.ts'

/** A topology that something is counted by, and what the count says of a node. */
export interface Look {
  readonly topology: Topology
  at(node: NodeInfo): number
}

/**
 * What tells nodes apart that are looked at in these ways. A pod changes what is known of all nodes of its domain, so the
 * domain is a node's kind; where each node has a domain of its own, the count is, which are fewer.
 */
export function kindsOf(looks: readonly Look[], restsOn: string): Kinds | undefined {
  if (looks.length === 0) return undefined
  const domains = [...new Set(looks.flatMap(({ topology }) => (topology.isOneEach ? [] : [topology])))]
  const counts = looks.filter(({ topology }) => topology.isOneEach)
  const names = (topologies: readonly Topology[]) => topologies.map(({ key }) => key).join()
  return {
    key: `${restsOn} ${names(domains)};${names(counts.map(({ topology }) => topology))}`,
    of(node) {
      let kind = ''
      for (const topology of domains) kind += `${topology.of(node)},`
      for (const { topology, at } of counts) kind += topology.of(node) < 0 ? '-,' : `${at(node)},`
      return kind
    },
  }
}
