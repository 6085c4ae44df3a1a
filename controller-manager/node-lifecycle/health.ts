import type { Node, NodeCondition, Taint } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'

const prefix = 'node.kubernetes.io/'
export const notReadyTaint = `${prefix}not-ready`
export const unreachableTaint = `${prefix}unreachable`

/** What a node says about itself, and what becomes unknown when it falls silent. */
const watched = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

const pressureTaints: Readonly<Record<string, string>> = {
  MemoryPressure: `${prefix}memory-pressure`,
  DiskPressure: `${prefix}disk-pressure`,
  PIDPressure: `${prefix}pid-pressure`,
  NetworkUnavailable: `${prefix}network-unavailable`,
}

const ownNoSchedule = new Set([
  ...Object.values(pressureTaints),
  notReadyTaint,
  unreachableTaint,
  `${prefix}unschedulable`,
])
const ownNoExecute = new Set([notReadyTaint, unreachableTaint])

export type Readiness = 'True' | 'False' | 'Unknown'

export const conditionOf = (node: Live<Node>, type: string): NodeCondition | undefined =>
  node.status?.conditions?.find((condition) => condition.type === type)

/** Whether the node is ready, as it or this controller last said. */
export const readinessOf = (node: Live<Node>): Readiness =>
  (conditionOf(node, 'Ready')?.status as Readiness) ?? 'Unknown'

/** The conditions of a node that has fallen silent; undefined when they already say so. */
export function silentConditions(node: Live<Node>, nowMs: number): NodeCondition[] | undefined {
  const conditions = [...(node.status?.conditions ?? [])]
  let changed = false
  for (const type of watched) {
    const at = conditions.findIndex((condition) => condition.type === type)
    const before = conditions[at]
    if (before?.status === 'Unknown') continue
    changed = true
    const common = { type, status: 'Unknown', lastTransitionTime: formatTime(nowMs) }
    if (before) {
      conditions[at] = {
        ...before,
        ...common,
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
      }
    } else {
      conditions.push({
        ...common,
        lastHeartbeatTime: node.metadata.creationTimestamp ?? formatTime(nowMs),
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
      })
    }
  }
  return changed ? conditions : undefined
}

/**
 * The taints that the node's conditions call for, others left as they are; undefined when nothing changes. `evict`: its
 * pods are to leave a node that is not ready.
 */
export function wantedTaints(node: Live<Node>, evict: boolean, nowMs: number): Taint[] | undefined {
  const standing = node.spec?.taints ?? []
  const ready = readinessOf(node)
  const wanted: Taint[] = []
  const unready = ready === 'True' ? undefined : ready === 'False' ? notReadyTaint : unreachableTaint
  const timeAdded = formatTime(nowMs)
  if (unready) wanted.push({ key: unready, effect: 'NoSchedule', timeAdded })
  for (const [type, key] of Object.entries(pressureTaints)) {
    if (conditionOf(node, type)?.status === 'True') wanted.push({ key, effect: 'NoSchedule', timeAdded })
  }
  if (node.spec?.unschedulable) wanted.push({ key: `${prefix}unschedulable`, effect: 'NoSchedule', timeAdded })
  if (unready && evict) wanted.push({ key: unready, effect: 'NoExecute', timeAdded })
  const isOurs = ({ key, effect }: Taint) =>
    (effect === 'NoSchedule' && ownNoSchedule.has(key)) || (effect === 'NoExecute' && ownNoExecute.has(key))
  const same = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect
  const kept = standing.filter((taint) => !isOurs(taint) || wanted.some((each) => same(each, taint)))
  const added = wanted.filter((taint) => !standing.some((each) => same(each, taint)))
  return kept.length === standing.length && added.length === 0 ? undefined : [...kept, ...added]
}
