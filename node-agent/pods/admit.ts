import type { Node, NodeSelectorRequirement, NodeSelectorTerm } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { type Amounts, amountOf, heldRequests, podRequests } from './resources.ts'
import { type BoundPod, isStaticPod } from './types.ts'

export interface Rejection {
  reason: string
  message: string
}

/** Whether this node may run the pod beside the others it runs; if not, upstream's reason and words. */
export function admitPod(pod: BoundPod, others: readonly BoundPod[], node: Live<Node>): Rejection | undefined {
  const os = pod.spec.os?.name
  if (os !== undefined && os !== 'linux') {
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
  }
  return (
    insufficientResource(pod, others, node) ??
    affinityFault(pod, node) ??
    (pod.spec.nodeName !== undefined && pod.spec.nodeName !== node.metadata.name
      ? predicate('NodeName', "node(s) didn't match the requested node name")
      : undefined) ??
    portConflict(pod, others) ??
    untolerated(pod, node)
  )
}

const predicate = (name: string, why: string): Rejection => ({
  reason: name,
  message: `Predicate ${name} failed: ${why}`,
})

function insufficientResource(pod: BoundPod, others: readonly BoundPod[], node: Live<Node>): Rejection | undefined {
  const allocatable = node.status?.allocatable ?? {}
  const wanted: Amounts = new Map([['pods', 1], ...podRequests(pod.spec)])
  for (const [name, requested] of wanted) {
    const capacity = allocatable[name]
    // What the node does not know of is somebody else's to check.
    if (capacity === undefined || requested === 0) continue
    const used = others.reduce((sum, other) => sum + (name === 'pods' ? 1 : (heldRequests(other).get(name) ?? 0)), 0)
    if (requested <= amountOf(name, capacity) - used) continue
    const facts = `requested: ${requested}, used: ${used}, capacity: ${amountOf(name, capacity)}`
    return { reason: `OutOf${name}`, message: `Node didn't have enough resource: ${name}, ${facts}` }
  }
  return undefined
}

function affinityFault(pod: BoundPod, node: Live<Node>): Rejection | undefined {
  const labels = node.metadata.labels ?? {}
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const fits = selected && (!required || required.nodeSelectorTerms.some((term) => termMatches(term, node)))
  return fits ? undefined : predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
}

function termMatches({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Live<Node>): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  return (
    matchExpressions.every((requirement) => requirementHolds(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => requirementHolds(requirement, node.metadata.name))
  )
}

function requirementHolds({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      return false
  }
}

interface HostPort {
  ip: string
  port: number
  protocol: string
}

function hostPortsOf({ spec }: BoundPod): HostPort[] {
  return [...spec.containers, ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')]
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ hostPort, hostIP, protocol = 'TCP' }) =>
      hostPort ? [{ ip: hostIP || '0.0.0.0', port: hostPort, protocol }] : [],
    )
}

function portConflict(pod: BoundPod, others: readonly BoundPod[]): Rejection | undefined {
  const wanted = hostPortsOf(pod)
  if (wanted.length === 0) return undefined
  const taken = others.flatMap(hostPortsOf)
  const clash = wanted.some(({ ip, port, protocol }) =>
    taken.some(
      (other) =>
        other.port === port &&
        other.protocol === protocol &&
        (other.ip === ip || other.ip === '0.0.0.0' || ip === '0.0.0.0'),
    ),
  )
  return clash ? predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports") : undefined
}

function untolerated(pod: BoundPod, node: Live<Node>): Rejection | undefined {
  if (isStaticPod(pod)) return undefined
  const fatal = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
  const tolerated = fatal.every((taint) =>
    (pod.spec.tolerations ?? []).some(
      ({ key, operator = 'Equal', value = '', effect }) =>
        (!effect || effect === taint.effect) &&
        (key ? key === taint.key : operator === 'Exists') &&
        (operator === 'Exists' || value === (taint.value ?? '')),
    ),
  )
  return tolerated ? undefined : predicate('TaintToleration', "node(s) had taints that the pod didn't tolerate")
}
