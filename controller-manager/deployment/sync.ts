import type { Deployment, DeploymentSpec, DeploymentStatus, Pod, ReplicaSet } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import type { Live } from '../../client/types.ts'
import { type Conditions, findCondition, newCondition, withCondition } from './conditions.ts'
import { type Draft, draftOf, resized } from './draft.ts'
import { surplusHistory } from './history.ts'
import { heldAt } from './hold.ts'
import { newSet, objectOf, revisionText, splitSets } from './new-set.ts'
import { hasDeadline, isComplete, pauseCondition, rolloutConditions, untilDeadlineMs } from './progress.ts'
import { emptied, oldPodsRun } from './recreate.ts'
import { planRollback, type Rollback, rollbackTarget } from './rollback.ts'
import { planRolling } from './rolling.ts'
import { planScale, sizeChanged } from './scale.ts'
import { deploymentStatus } from './status.ts'

/** All that the next step of a deployment depends on. */
export interface World {
  deployment: Live<Deployment>
  /** The replica sets it owns. */
  sets: readonly Live<ReplicaSet>[]
  podsOf(set: Live<ReplicaSet>): readonly Live<Pod>[]
  nowMs: number
}

export type Step =
  | { do: 'create'; draft: Draft }
  | { do: 'update'; draft: Draft }
  | { do: 'delete'; draft: Draft }
  | { do: 'rollback'; rollback: Rollback }

/** The steps in their order, and the status to be written when all went well. */
export interface Plan {
  steps: Step[]
  status: DeploymentStatus
  /** What the deployment's revision annotation must say; undefined: as it does. */
  revision: string | undefined
  requeueAfterMs: number | undefined
}

/** What is to be done next for a deployment: one step up or down, never a wait. */
export function planDeployment(world: World): Plan {
  const { deployment, sets, nowMs } = world
  const spec = deployment.spec as DeploymentSpec
  const { fresh, old } = splitSets(deployment, sets)
  if (deployment.metadata.deletionTimestamp !== undefined) {
    return finish(world, fresh, old, foundCondition(world, fresh, deployment.status?.conditions ?? []), 'counts')
  }
  const conditions = foundCondition(world, fresh, pauseCondition(deployment, nowMs))
  if (spec.paused) {
    const scaled = planScale(deployment, fresh, old)
    return finish(world, scaled.fresh, scaled.old, conditions, 'counts', surplusHistory(deployment, scaled.old))
  }
  const target = rollbackTarget(deployment)
  if (target !== undefined) {
    // Without a set of its own the present template is no revision, and "the one before" would be the wrong one.
    const current = fresh ?? newSet(deployment, old)
    const plan = finish(world, current, old, conditions, 'counts')
    const rollback = planRollback(deployment, [...old.map(({ set }) => set), objectOf(current)], target)
    return { ...plan, steps: [...plan.steps, { do: 'rollback', rollback }] }
  }
  if (sizeChanged(spec, fresh ? [...old, fresh] : old)) {
    const scaled = planScale(deployment, fresh, old)
    return finish(world, scaled.fresh, scaled.old, conditions, 'counts')
  }
  return rollOut(world, fresh, old, conditions)
}

function rollOut(world: World, found: Draft | undefined, old: readonly Draft[], conditions: Conditions): Plan {
  const { deployment } = world
  const spec = deployment.spec as DeploymentSpec
  let planned: { fresh: Draft | undefined; old: readonly Draft[] }
  switch (spec.strategy?.type) {
    case 'Recreate': {
      const empty = emptied(spec, old)
      const wait = empty !== old || oldPodsRun(old, world.podsOf)
      const grown = found ? resized(found, spec.replicas ?? 1, spec) : newSet(deployment, old)
      planned = { fresh: wait ? found : grown, old: empty }
      break
    }
    case 'RollingUpdate':
      planned = rolled(deployment, spec, found ?? newSet(deployment, old), old)
      break
    default:
      throw new Error(`unexpected deployment strategy type: ${spec.strategy?.type}`)
  }
  const { fresh } = planned
  const created =
    fresh && !fresh.exists && hasDeadline(deployment)
      ? withCondition(
          conditions,
          newCondition(
            'Progressing',
            'True',
            'NewReplicaSetCreated',
            `Created new replica set "${fresh.set.metadata.name}"`,
            world.nowMs,
          ),
        )
      : conditions
  const surplus = isComplete(deployment, deployment.status ?? {}) ? surplusHistory(deployment, planned.old) : []
  return finish(world, fresh, planned.old, created, 'rollout', surplus)
}

const rolled = (deployment: Live<Deployment>, spec: DeploymentSpec, fresh: Draft, old: readonly Draft[]) =>
  planRolling(spec, { fresh, old }, heldAt(deployment, fresh, old))

/** A deployment that got its deadline late starts to count when its set is found. */
function foundCondition({ deployment, nowMs }: World, fresh: Draft | undefined, conditions: Conditions): Conditions {
  if (!fresh || !hasDeadline(deployment) || findCondition(conditions, 'Progressing')) return conditions
  const message = `Found new replica set "${fresh.set.metadata.name}"`
  return withCondition(conditions, newCondition('Progressing', 'True', 'FoundNewReplicaSet', message, nowMs))
}

function finish(
  world: World,
  fresh: Draft | undefined,
  old: readonly Draft[],
  conditions: Conditions,
  kind: 'counts' | 'rollout',
  surplus: readonly Draft[] = [],
): Plan {
  const { deployment, nowMs } = world
  const status = deploymentStatus(deployment, fresh, old, conditions, nowMs)
  if (kind === 'rollout') {
    status.conditions = [...rolloutConditions(deployment, status, fresh, old, nowMs)]
  }
  const revision = revisionText(fresh)
  return {
    steps: [
      ...(fresh ? stepsFor(fresh) : []),
      ...old.filter((draft) => !surplus.includes(draft)).flatMap(stepsFor),
      ...surplus.map((draft): Step => ({ do: 'delete', draft })),
    ],
    status,
    revision,
    requeueAfterMs: kind === 'rollout' ? untilDeadlineMs(deployment, status, nowMs) : undefined,
  }
}

function stepsFor(draft: Draft): Step[] {
  if (!draft.exists) return [{ do: 'create', draft }]
  const is = draftOf(draft.set)
  const same =
    is.replicas === draft.replicas &&
    is.minReadySeconds === draft.minReadySeconds &&
    semanticEqual(is.annotations, draft.annotations)
  return same ? [] : [{ do: 'update', draft }]
}
