import type { DaemonSetStatus } from '../../api/generated/types.ts'
import { isAvailable, isReady } from '../pods/condition.ts'
import { isCurrent, nodeTest } from './daemon-pod.ts'
import { byAge, podsByNode, type World } from './plan.ts'

/** The status that follows from nodes and pods. `acted`: the present generation has been worked on, and not only looked at. */
export function daemonSetStatus(world: World, acted: boolean, collisionCount: number): DaemonSetStatus {
  const { set, nodes, pods, hash, nowMs } = world
  const test = nodeTest(set)
  const byNode = podsByNode(pods)
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 }
  for (const node of nodes) {
    const own = byNode.get(node.metadata.name)
    if (!test(node).run) {
      if (own) counts.misscheduled++
      continue
    }
    counts.desired++
    const [pod] = (own ?? []).sort(byAge)
    if (!pod) continue
    counts.current++
    if (isReady(pod)) counts.ready++
    if (isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)) counts.available++
    if (isCurrent(set, pod, hash)) counts.updated++
  }
  const { conditions, observedGeneration = 0 } = set.status ?? {}
  const generation = acted ? (set.metadata.generation ?? 0) : observedGeneration
  const missing = counts.desired - counts.available
  return {
    currentNumberScheduled: counts.current,
    desiredNumberScheduled: counts.desired,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    // Upstream leaves out what is zero of these.
    ...(counts.updated > 0 ? { updatedNumberScheduled: counts.updated } : {}),
    ...(counts.available > 0 ? { numberAvailable: counts.available } : {}),
    ...(missing > 0 ? { numberUnavailable: missing } : {}),
    ...(generation > 0 ? { observedGeneration: generation } : {}),
    ...(collisionCount > 0 || set.status?.collisionCount !== undefined ? { collisionCount } : {}),
    ...(conditions ? { conditions } : {}),
  }
}
