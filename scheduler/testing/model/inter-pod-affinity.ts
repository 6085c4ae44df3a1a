import type { Node, Pod, PodAffinityTerm } from '../../../api/generated/types.ts'
import type { Live } from '../../../client/types.ts'
import { findNamed, type ModelCluster } from './cluster.ts'
import { selects } from './selectors.ts'

type Kind = 'podAffinity' | 'podAntiAffinity'

const required = ({ spec }: Live<Pod>, kind: Kind): readonly PodAffinityTerm[] =>
  spec?.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? []
const preferred = ({ spec }: Live<Pod>, kind: Kind) =>
  spec?.affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? []

/** Whether a term of `owner` speaks of the other pod. */
function speaksOf(term: PodAffinityTerm, owner: Live<Pod>, other: Live<Pod>, cluster: ModelCluster): boolean {
  const namespace = other.metadata.namespace ?? ''
  const { namespaces = [], namespaceSelector } = term
  const named = namespaces.length > 0 || namespaceSelector ? namespaces : [owner.metadata.namespace ?? '']
  const inNamespace =
    named.includes(namespace) ||
    (!!namespaceSelector && selects(namespaceSelector, cluster.namespaces[namespace] ?? {}))
  return inNamespace && selects(term.labelSelector, other.metadata.labels ?? {})
}

const domainOf = (node: Live<Node> | undefined, key: string): string | undefined => node?.metadata.labels?.[key]

/** Pods whose node is in the same domain; a node without the label is in none. */
const near = (cluster: ModelCluster, node: Live<Node>, key: string): Live<Pod>[] => {
  const domain = domainOf(node, key)
  if (domain === undefined) return []
  return cluster.pods.filter(({ spec }) => domainOf(findNamed(cluster.nodes, spec?.nodeName ?? ''), key) === domain)
}

export function fitsNeighbours(pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): boolean {
  const wanted = required(pod, 'podAffinity')
  const satisfiesAll = (other: Live<Pod>) => wanted.every((term) => speaksOf(term, pod, other, cluster))
  if (wanted.some(({ topologyKey }) => domainOf(node, topologyKey) === undefined)) return false
  const found = wanted.every(({ topologyKey }) => near(cluster, node, topologyKey).some(satisfiesAll))
  if (!found) {
    // Nobody is in any domain that counts: the first of a group that wants its like near may begin anywhere.
    const anywhere = cluster.pods.some((other) => {
      const its = findNamed(cluster.nodes, other.spec?.nodeName ?? '')
      return satisfiesAll(other) && wanted.some(({ topologyKey }) => domainOf(its, topologyKey) !== undefined)
    })
    if (anywhere || !satisfiesAll(pod)) return false
  }
  for (const term of required(pod, 'podAntiAffinity')) {
    if (near(cluster, node, term.topologyKey).some((other) => speaksOf(term, pod, other, cluster))) return false
  }
  return cluster.pods.every((other) =>
    required(other, 'podAntiAffinity').every(
      (term) => !speaksOf(term, other, pod, cluster) || !near(cluster, node, term.topologyKey).includes(other),
    ),
  )
}

/** By how much the wishes of the pod, and those of the others about it, speak for each node: the least 0, the most 100. */
export function scoreNeighbours(pod: Live<Pod>, nodes: readonly Live<Node>[], cluster: ModelCluster): number[] {
  const sums = nodes.map((node) => {
    let sum = 0
    for (const [kind, sign] of [
      ['podAffinity', 1],
      ['podAntiAffinity', -1],
    ] as const) {
      for (const { weight, podAffinityTerm: term } of preferred(pod, kind)) {
        const those = near(cluster, node, term.topologyKey).filter((other) => speaksOf(term, pod, other, cluster))
        sum += sign * weight * those.length
      }
      for (const other of cluster.pods) {
        for (const { weight, podAffinityTerm: term } of preferred(other, kind)) {
          if (speaksOf(term, other, pod, cluster) && near(cluster, node, term.topologyKey).includes(other))
            sum += sign * weight
        }
      }
    }
    for (const other of cluster.pods) {
      for (const term of required(other, 'podAffinity')) {
        if (speaksOf(term, other, pod, cluster) && near(cluster, node, term.topologyKey).includes(other)) sum += 1
      }
    }
    return sum
  })
  const [least, most] = [Math.min(...sums), Math.max(...sums)]
  return sums.map((sum) => (most > least ? Math.trunc(100 * ((sum - least) / (most - least))) : 0))
}
