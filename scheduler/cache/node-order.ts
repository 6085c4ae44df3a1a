import type { NodeInfo } from './node-info.ts'

/**
 * Nodes in the order in which they are looked at: one of each zone in turn, so that a search that ends before all nodes
 * were seen has seen all zones.
 */
export function byZonesInTurn(nodes: Iterable<NodeInfo>): NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>()
  for (const node of nodes) {
    const zone = zoneOf(node)
    const members = zones.get(zone)
    if (members) members.push(node)
    else zones.set(zone, [node])
  }
  const lists = [...zones.values()]
  const longest = Math.max(0, ...lists.map((list) => list.length))
  const order: NodeInfo[] = []
  for (let i = 0; i < longest; i++) {
    for (const list of lists) {
      const node = list[i]
      if (node) order.push(node)
    }
  }
  return order
}

/** Region and zone by the labels of today, or those of old. */
export function zoneOf({ labels }: NodeInfo): string {
  const read = (kind: 'region' | 'zone') =>
    labels[`topology.kubernetes.io/${kind}`] ?? labels[`failure-domain.beta.kubernetes.io/${kind}`] ?? ''
  return `${read('region')}\n${read('zone')}`
}
