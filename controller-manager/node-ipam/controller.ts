import type { Node } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { nodes } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { RangeSet } from './ranges.ts'

/** Gives each node its part of the pods' addresses, one of each family. Does nothing unless told to allocate. */
export function newNodeIpamController({ api, clock, events, informers, options }: ControllerDeps): Controller[] {
  const { allocateNodeCidrs, clusterCidrs, serviceClusterIpRange } = options
  if (!allocateNodeCidrs || clusterCidrs.length === 0) return []
  const sets = clusterCidrs.map(
    (range) => new RangeSet(range, range.includes(':') ? options.nodeCidrMaskSizeIpv6 : options.nodeCidrMaskSizeIpv4),
  )
  for (const range of serviceClusterIpRange.split(',')) if (range !== '') for (const set of sets) set.occupy(range)
  const queue = new WorkQueue({ clock, name: 'node_ipam', maxDelayMs: 60_000 })
  const all = informers.for<Node>(nodes)
  const rangesOf = ({ spec }: Live<Node>) => spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : [])
  const occupy = (node: Live<Node>) => {
    for (const range of rangesOf(node)) for (const set of sets) set.occupy(range)
  }
  all.on({
    add: (node) => {
      occupy(node)
      queue.add(node.metadata.name)
    },
    update: (_, node) => {
      occupy(node)
      if (rangesOf(node).length === 0) queue.add(node.metadata.name)
    },
    delete: (node) => {
      for (const range of rangesOf(node)) for (const set of sets) set.release(range)
      // A node that found none may now.
      for (const other of all.lister.list()) if (rangesOf(other).length === 0) queue.add(other.metadata.name)
    },
  })
  return [
    {
      name: 'node-ipam',
      // One after the other: what is taken is decided here.
      workers: 1,
      queue,
      async reconcile(name, signal) {
        const node = all.lister.get(undefined, name)
        if (!node || rangesOf(node).length > 0) return
        const podCIDRs = sets.map((set) => set.take())
        const release = () => {
          podCIDRs.forEach((range, i) => void (range && sets[i]?.release(range)))
        }
        if (podCIDRs.some((range) => range === undefined)) {
          release()
          events.event(
            { apiVersion: 'v1', kind: 'Node', metadata: node.metadata },
            'Normal',
            'CIDRNotAvailable',
            `Node ${name} status is now: CIDRNotAvailable`,
          )
          throw new Error(
            `no free range is left for node ${name} in ${clusterCidrs.join(', ')}: make --cluster-cidr larger`,
          )
        }
        try {
          // Only where there is none yet, whatever the cache says: a node's range is never changed.
          await api.patch(
            nodes,
            { name },
            {
              type: 'merge',
              body: {
                metadata: { resourceVersion: node.metadata.resourceVersion },
                spec: { podCIDR: podCIDRs[0], podCIDRs },
              },
            },
            { signal },
          )
        } catch (error) {
          release()
          throw error
        }
      },
    },
  ]
}
