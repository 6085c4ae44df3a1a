import type { Deployment, DeploymentSpec, DeploymentStatus } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { type Conditions, newCondition, withCondition } from './conditions.ts'
import { availableOf, type Draft, totalReplicas, totalStatus } from './draft.ts'
import { maxUnavailable } from './sizes.ts'

/** The status that follows from the sets, with the condition Available; the other `conditions` are passed on. */
export function deploymentStatus(
  deployment: Live<Deployment>,
  fresh: Draft | undefined,
  old: readonly Draft[],
  conditions: Conditions,
  nowMs: number,
): DeploymentStatus {
  const all = fresh ? [...old, fresh] : old
  const spec = deployment.spec as DeploymentSpec
  const available = all.reduce((total, draft) => total + availableOf(draft), 0)
  const terminating = terminatingReplicas(all)
  const collisions = deployment.status?.collisionCount
  const enough = available >= (spec.replicas ?? 1) - maxUnavailable(spec)
  const availability = enough
    ? newCondition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', nowMs)
    : newCondition(
        'Available',
        'False',
        'MinimumReplicasUnavailable',
        'Deployment does not have minimum availability.',
        nowMs,
      )
  return {
    // Zeros are left out, as upstream leaves them: so that what is written compares equal to what any server gives back.
    ...nonZero({
      observedGeneration: deployment.metadata.generation ?? 0,
      replicas: totalStatus(all, 'replicas'),
      updatedReplicas: fresh ? totalStatus([fresh], 'replicas') : 0,
      readyReplicas: totalStatus(all, 'readyReplicas'),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, totalReplicas(all) - available),
    }),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(collisions === undefined ? {} : { collisionCount: collisions }),
    conditions: [...withCondition(conditions, availability)],
  }
}

const nonZero = <T extends Record<string, number>>(counts: T): Partial<T> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)) as Partial<T>

/** Unknown as soon as one set that has been looked after does not tell. */
function terminatingReplicas(all: readonly Draft[]): number | undefined {
  let total = 0
  for (const { set } of all) {
    const { terminatingReplicas: count, observedGeneration = 0 } = set.status ?? {}
    if (count !== undefined) total += count
    else if (observedGeneration > 0) return undefined
  }
  return total
}
