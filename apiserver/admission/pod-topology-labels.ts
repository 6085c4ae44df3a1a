import type { Binding, Node, Pod } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { AdmissionContext } from './context.ts'
import type { AdmissionPlugin } from './types.ts'

const topologyLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/**
 * Gives a pod the zone and the region of its node as labels, from the moment it has one: programs in it read them by the
 * downward API. What the pod said itself is overwritten. A node that is not there gives none, as upstream.
 */
export function createPodTopologyLabels({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const pods = lookup('', 'pods')
  const nodes = lookup('', 'nodes')
  return {
    name: 'PodTopologyLabels',
    handles: ({ resource, operation, subresource }) =>
      resource === pods && operation === 'CREATE' && (subresource === '' || subresource === 'binding'),
    admit({ object, subresource }) {
      const given = object as unknown as Stored<Pod | Binding>
      // What labels a binding has, the pod gets.
      const nodeName = subresource === 'binding' ? nodeBoundTo(given as Binding) : (given as Pod).spec?.nodeName
      if (!nodeName) return
      const ofNode = client.cached<Stored<Node>>(nodes, '', nodeName)?.metadata.labels ?? {}
      const copied = Object.entries(ofNode).filter(([label]) => topologyLabels.includes(label))
      if (copied.length > 0) given.metadata.labels = { ...given.metadata.labels, ...Object.fromEntries(copied) }
    },
  }
}

/** Upstream looks for labels only where the kind is said. */
const nodeBoundTo = ({ target }: Binding): string | undefined => (target?.kind === 'Node' ? target.name : undefined)
