import type { Pod } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'
import { isActive, isReady, readySinceMs } from './condition.ts'

const phaseOrder: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 }
const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost'

/**
 * The `count` pods whose loss hurts least: those that were named as victims, then by upstream's rules in turn: not assigned to a node, pending, not ready, of low
 * `pod-deletion-cost`, on a node with many of the `related` pods, ready for a short time, often restarted, young. Times are
 * compared in powers of two, so that among pods of about the same age the uid decides, which is as good as chance.
 */
export function podsToDelete(
  pods: readonly Live<Pod>[],
  related: readonly Live<Pod>[],
  count: number,
  nowMs: number,
  victims: ReadonlySet<string> = new Set(),
): Live<Pod>[] {
  if (count >= pods.length) return [...pods]
  const onNode = new Map<string, number>()
  for (const pod of related) {
    if (!isActive(pod)) continue
    const node = pod.spec?.nodeName ?? ''
    onNode.set(node, (onNode.get(node) ?? 0) + 1)
  }
  return pods
    .map((pod) => standing(pod, onNode, victims))
    .sort((a, b) => compare(a, b, nowMs))
    .slice(0, count)
    .map(({ pod }) => pod)
}

interface Standing {
  pod: Live<Pod>
  named: boolean
  assigned: boolean
  phase: number
  ready: boolean
  cost: number
  colocated: number
  readySinceMs: number | undefined
  restarts: number
  sidecarRestarts: number
  createdMs: number | undefined
}

function standing(pod: Live<Pod>, onNode: ReadonlyMap<string, number>, victims: ReadonlySet<string>): Standing {
  const { metadata, spec, status } = pod
  const sidecars = new Set(
    (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  )
  return {
    pod,
    named: victims.has(metadata.name),
    assigned: (spec?.nodeName ?? '') !== '',
    phase: phaseOrder[status?.phase ?? ''] ?? 0,
    ready: isReady(pod),
    cost: deletionCost(metadata.annotations?.[costAnnotation]),
    colocated: onNode.get(spec?.nodeName ?? '') ?? 0,
    readySinceMs: readySinceMs(pod),
    restarts: Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount)),
    sidecarRestarts: Math.max(
      0,
      ...(status?.initContainerStatuses ?? [])
        .filter(({ name }) => sidecars.has(name))
        .map(({ restartCount }) => restartCount),
    ),
    createdMs: metadata.creationTimestamp === undefined ? undefined : parseTime(metadata.creationTimestamp),
  }
}

/** A number of 32 bits without a plus sign or leading zeros; anything else counts as 0. */
function deletionCost(text: string | undefined): number {
  if (text === undefined || !/^(0|-?[1-9]\d*|-0+)$/.test(text)) return 0
  const cost = Number(text)
  return cost >= -(2 ** 31) && cost < 2 ** 31 ? cost : 0
}

/** Negative: `a` goes first. */
function compare(a: Standing, b: Standing, nowMs: number): number {
  if (a.named !== b.named) return a.named ? -1 : 1
  if (a.assigned !== b.assigned) return a.assigned ? 1 : -1
  if (a.phase !== b.phase) return a.phase - b.phase
  if (a.ready !== b.ready) return a.ready ? 1 : -1
  if (a.cost !== b.cost) return a.cost - b.cost
  if (a.colocated !== b.colocated) return b.colocated - a.colocated
  if (a.ready && b.ready && a.readySinceMs !== b.readySinceMs) return younger(a, b, 'readySinceMs', nowMs)
  if (a.restarts !== b.restarts) return b.restarts - a.restarts
  if (a.sidecarRestarts !== b.sidecarRestarts) return b.sidecarRestarts - a.sidecarRestarts
  if (a.createdMs !== b.createdMs) return younger(a, b, 'createdMs', nowMs)
  return byUid(a, b)
}

/** No time at all counts as younger than any. */
function younger(a: Standing, b: Standing, field: 'readySinceMs' | 'createdMs', nowMs: number): number {
  const [one, other] = [a[field], b[field]]
  if (one === undefined || other === undefined) return one === undefined ? -1 : 1
  return ageRank(nowMs - one) - ageRank(nowMs - other) || byUid(a, b)
}

/** Upstream ranks nanoseconds; the power of two of milliseconds would put other times into one class. */
const ageRank = (ageMs: number): number => (ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : -1)

function byUid(a: Standing, b: Standing): number {
  const [one, other] = [a.pod.metadata.uid ?? '', b.pod.metadata.uid ?? '']
  return one < other ? -1 : one > other ? 1 : 0
}
