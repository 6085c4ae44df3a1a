import type { LabelSelector, Node, Pod, TopologySpreadConstraint } from '../../../api/generated/types.ts'
import type { Live } from '../../../client/types.ts'
import { type ModelCluster, podsOn } from './cluster.ts'
import { matchesNode, selects, toleratesNode } from './selectors.ts'

const hostname = 'kubernetes.io/hostname'

interface Constraint extends TopologySpreadConstraint {
  /** All of them must select a pod for it to count; none select nobody. */
  selectors: readonly LabelSelector[]
}

function constraintsOf(pod: Live<Pod>, kind: string, cluster: ModelCluster): Constraint[] {
  const own = pod.spec?.topologySpreadConstraints ?? []
  const labels = pod.metadata.labels ?? {}
  if (own.length > 0) {
    return own.flatMap((constraint) => {
      if (constraint.whenUnsatisfiable !== kind) return []
      const { labelSelector, matchLabelKeys = [] } = constraint
      const alike = Object.fromEntries(
        matchLabelKeys.flatMap((key) => (key in labels ? [[key, labels[key] ?? '']] : [])),
      )
      return [{ ...constraint, selectors: labelSelector ? [labelSelector, { matchLabels: alike }] : [] }]
    })
  }
  if (kind !== 'ScheduleAnyway') return []
  const { namespace, ownerReferences = [] } = pod.metadata
  const services = cluster.services.flatMap((service) =>
    service.namespace === namespace && selects({ matchLabels: service.selector }, labels)
      ? [{ matchLabels: service.selector }]
      : [],
  )
  const owner = ownerReferences.find(({ controller }) => controller)
  const owned = cluster.controllers.find(
    (one) =>
      one.namespace === namespace &&
      one.kind === owner?.kind &&
      one.apiVersion === owner.apiVersion &&
      one.name === owner.name,
  )
  const selectors = [...services, ...(owned ? [owned.selector] : [])]
  if (selectors.every(isEmpty)) return []
  return [
    { topologyKey: hostname, whenUnsatisfiable: kind, maxSkew: 3, selectors },
    { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: kind, maxSkew: 5, selectors },
  ]
}

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length + matchExpressions.length === 0

const counts = ({ selectors }: Constraint, { metadata }: Live<Pod>): boolean =>
  selectors.length > 0 && selectors.every((selector) => selects(selector, metadata.labels ?? {}))

/** Pods of the node that the constraint counts: upstream counts none for a selector that is empty. */
function countOn(constraint: Constraint, pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): number {
  if (constraint.selectors.length > 0 && constraint.selectors.every(isEmpty)) return 0
  return podsOn(cluster, node).filter(
    (other) =>
      other.metadata.namespace === pod.metadata.namespace &&
      !other.metadata.deletionTimestamp &&
      counts(constraint, other),
  ).length
}

const domain = (node: Live<Node>, { topologyKey }: Constraint): string | undefined =>
  node.metadata.labels?.[topologyKey]
const hasAll = (node: Live<Node>, constraints: readonly Constraint[]): boolean =>
  constraints.every((constraint) => domain(node, constraint) !== undefined)

const isIncluded = (pod: Live<Pod>, node: Live<Node>, { nodeAffinityPolicy, nodeTaintsPolicy }: Constraint): boolean =>
  (nodeAffinityPolicy === 'Ignore' || matchesNode(pod, node)) &&
  (nodeTaintsPolicy !== 'Honor' || toleratesNode(pod, node))

export function fitsSpread(pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): boolean {
  const constraints = constraintsOf(pod, 'DoNotSchedule', cluster)
  return constraints.every((constraint) => {
    const own = domain(node, constraint)
    if (own === undefined) return false
    const eligible = cluster.nodes.filter((each) => hasAll(each, constraints) && isIncluded(pod, each, constraint))
    const byDomain = new Map<string, number>()
    for (const each of eligible) {
      const its = domain(each, constraint) ?? ''
      byDomain.set(its, (byDomain.get(its) ?? 0) + countOn(constraint, pod, each, cluster))
    }
    const least = byDomain.size < (constraint.minDomains ?? 1) ? 0 : Math.min(2 ** 31 - 1, ...byDomain.values())
    return (byDomain.get(own) ?? 0) + (counts(constraint, pod) ? 1 : 0) - least <= constraint.maxSkew
  })
}

/** Undefined where the pod has no wish of the kind. */
export function scoreSpread(pod: Live<Pod>, nodes: readonly Live<Node>[], cluster: ModelCluster): number[] | undefined {
  const constraints = constraintsOf(pod, 'ScheduleAnyway', cluster)
  if (constraints.length === 0) return undefined
  const isOwn = (pod.spec?.topologySpreadConstraints ?? []).length > 0
  const isScored = (node: Live<Node>) => !isOwn || hasAll(node, constraints)
  const scored = nodes.filter(isScored)
  const sums = nodes.map((node) => {
    let sum = 0
    for (const constraint of constraints) {
      const own = domain(node, constraint)
      if (own === undefined) continue
      const isHost = constraint.topologyKey === hostname
      const domains = new Set(scored.map((each) => domain(each, constraint) ?? ''))
      const members = isHost
        ? [node]
        : cluster.nodes.filter(
            (each) => domain(each, constraint) === own && isScored(each) && isIncluded(pod, each, constraint),
          )
      const count = members.reduce((all, each) => all + countOn(constraint, pod, each, cluster), 0)
      sum += count * Math.log((isHost ? scored.length : domains.size) + 2) + constraint.maxSkew - 1
    }
    return Math.round(sum)
  })
  const known = sums.filter((_, i) => isScored(nodes[i] as Live<Node>))
  const [least, most] = [Math.min(...known), Math.max(0, ...known)]
  return nodes.map((node, i) => {
    if (!isScored(node)) return 0
    return most === 0 ? 100 : Math.trunc((100 * (most + least - (sums[i] as number))) / most)
  })
}
