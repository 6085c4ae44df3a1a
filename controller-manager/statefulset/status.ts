import type { Pod, StatefulSetStatus } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { isAvailable, isReady } from '../pods/condition.ts'
import { revisionLabel } from '../revisions/revisions.ts'
import { replicasOf } from './identity.ts'
import type { Step, World } from './plan.ts'

/** The status that follows from the pods and from what is about to be done with them. */
export function statefulSetStatus(world: World, steps: readonly Step[], collisionCount: number): StatefulSetStatus {
  const { set, pods, current, update, nowMs } = world
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isReady(pod))
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const ofRevision = (name: string) => (pod: Live<Pod>) => pod.metadata.labels?.[revisionLabel] === name
  const outdated = steps.filter((step) => step.do === 'delete' && step.why === 'outdated').length
  const counts = {
    replicas: pods.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)).length,
    currentReplicas: staying.filter(ofRevision(current.name)).length - outdated,
    updatedReplicas: staying.filter(ofRevision(update.name)).length,
  }
  const desired = replicasOf(set)
  const complete =
    set.spec?.updateStrategy?.type === 'RollingUpdate' &&
    counts.updatedReplicas === desired &&
    counts.readyReplicas === desired &&
    counts.replicas === desired
  if (complete) counts.currentReplicas = counts.updatedReplicas
  const { replicas, ...others } = counts
  return {
    replicas,
    // Zeros are left out, as upstream leaves them, but for this one and for availableReplicas.
    ...Object.fromEntries(Object.entries(others).filter(([name, n]) => n !== 0 || name === 'availableReplicas')),
    observedGeneration: set.metadata.generation ?? 0,
    currentRevision: complete ? update.name : current.name,
    updateRevision: update.name,
    collisionCount,
    ...(set.status?.conditions ? { conditions: set.status.conditions } : {}),
  }
}
