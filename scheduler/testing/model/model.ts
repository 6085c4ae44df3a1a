import type { Node, Pod } from '../../../api/generated/types.ts'
import type { Live } from '../../../client/types.ts'
import { type ModelCluster, podsOn } from './cluster.ts'
import { fitsNeighbours, scoreNeighbours } from './inter-pod-affinity.ts'
import { balanced, hasRoom, leastAllocated } from './resources.ts'
import { matchesNode, matchesTerm, toleratesNode, toleratesTaint } from './selectors.ts'
import { fitsSpread, scoreSpread } from './spread.ts'
import { fitsLimits, fitsRestrictions, fitsVolumes, fitsZones } from './volumes.ts'

/** What upstream documents of one plugin, written so that it can be seen to be right, however long it takes. */
export interface ModelPlugin {
  /** What its scores count for. */
  weight?: number
  fits?(pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): boolean
  /** Of nodes that all would do, between 0 and 100; undefined where the plugin has nothing to say. */
  scores?(pod: Live<Pod>, nodes: readonly Live<Node>[], cluster: ModelCluster): number[] | undefined
}

/** The reference for the scheduler: every plugin that filters or scores, by its name. */
export const model: Readonly<Record<string, ModelPlugin>> = {
  NodeUnschedulable: {
    fits: (pod, node) =>
      node.spec?.unschedulable !== true ||
      toleratesTaint(pod, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }),
  },
  TaintToleration: {
    weight: 3,
    fits: toleratesNode,
    scores: (pod, nodes) => {
      const counts = nodes.map(({ spec }) => {
        const soft = (spec?.taints ?? []).filter(({ effect }) => effect === 'PreferNoSchedule')
        return soft.filter((taint) => !toleratesTaint(pod, taint)).length
      })
      return shareOfLargest(counts).map((share) => 100 - share)
    },
  },
  NodeAffinity: {
    weight: 2,
    fits: matchesNode,
    scores: (pod, nodes) => {
      const terms = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
      const sum = (node: Live<Node>) =>
        terms.reduce((all, { weight, preference }) => (matchesTerm(preference, node) ? all + weight : all), 0)
      return shareOfLargest(nodes.map(sum))
    },
  },
  NodePorts: {
    fits: (pod, node, cluster) =>
      hostPorts(pod).every((wanted) =>
        podsOn(cluster, node).every((other) =>
          hostPorts(other).every(
            (used) =>
              used.port !== wanted.port ||
              used.protocol !== wanted.protocol ||
              (used.ip !== wanted.ip && used.ip !== '0.0.0.0' && wanted.ip !== '0.0.0.0'),
          ),
        ),
      ),
  },
  NodeResourcesFit: {
    weight: 1,
    fits: hasRoom,
    scores: (pod, nodes, cluster) => nodes.map((node) => leastAllocated(pod, node, cluster)),
  },
  VolumeRestrictions: { fits: fitsRestrictions },
  NodeVolumeLimits: { fits: fitsLimits },
  VolumeBinding: { fits: fitsVolumes },
  VolumeZone: { fits: fitsZones },
  PodTopologySpread: { weight: 2, fits: fitsSpread, scores: scoreSpread },
  InterPodAffinity: { weight: 2, fits: fitsNeighbours, scores: scoreNeighbours },
  NodeResourcesBalancedAllocation: {
    weight: 1,
    scores: (pod, nodes, cluster) => nodes.map((node) => balanced(pod, node, cluster) ?? 0),
  },
  ImageLocality: {
    weight: 1,
    scores: (pod, nodes, cluster) => nodes.map((node) => imageScore(pod, node, cluster)),
  },
}

/** In percent of the largest; all 0 where that is 0. */
function shareOfLargest(numbers: readonly number[]): number[] {
  const largest = Math.max(0, ...numbers)
  return numbers.map((number) => (largest === 0 ? 0 : Math.trunc((100 * number) / largest)))
}

function hostPorts({ spec }: Live<Pod>) {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ port: hostPort, ip: hostIP || '0.0.0.0', protocol: protocol || 'TCP' }] : [],
    ),
  )
}

const megabyte = 1024 * 1024

/** The pod's images that the node holds, by size and by how many nodes hold them: 23 MB count for nothing. */
function imageScore({ spec }: Live<Pod>, node: Live<Node>, cluster: ModelCluster): number {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
  const mounted = (spec?.volumes ?? []).flatMap(({ image }) => image?.reference ?? [])
  const holds = ({ status }: Live<Node>, image: string) =>
    status?.images?.find(({ names = [] }) => names.includes(image))
  const bytes = [...containers.map(({ image = '' }) => image), ...mounted].reduce((sum, image) => {
    const tagged = image.split('/').at(-1)?.includes(':') ? image : `${image}:latest`
    const held = holds(node, tagged)
    if (!held) return sum
    const holders = cluster.nodes.filter((each) => holds(each, tagged)).length
    return sum + Math.trunc((held.sizeBytes ?? 0) * (holders / cluster.nodes.length))
  }, 0)
  const [least, most] = [23 * megabyte, 1000 * megabyte * containers.length]
  return Math.trunc((100 * (Math.min(Math.max(bytes, least), most) - least)) / (most - least))
}
