import {
  autoRollbackAnnotation,
  type RevisionState,
  revisionStateLabel,
  rolledBackCondition,
} from '../../api/gantry/rollout.ts'
import type { Deployment, PodTemplateSpec, ReplicaSet } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { deployments, replicaSets } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { annotationNames } from '../deployment/annotations.ts'
import { controllerOf } from '../pods/ownership.ts'
import { podInformer, podsOf } from '../pods/pod-index.ts'
import { withoutHash } from '../pods/template-hash.ts'
import type { ControllerDeps } from '../types.ts'
import { crashLoop } from './crash-loop.ts'
import { type Failure, planRollout } from './plan.ts'

/** Watches over the rollouts of deployments annotated with `gantry.dev/auto-rollback`, and rolls back those that fail. */
export function newRolloutController(deps: ControllerDeps): Controller {
  const { api, clock, events, informers } = deps
  const queue = new WorkQueue({ clock, name: 'rollout' })
  const all = informers.for<Deployment>(deployments)
  const sets = informers.for<ReplicaSet>(replicaSets)
  const pods = podInformer(informers)

  const enqueue = (deployment: Live<Deployment> | undefined) => {
    if (deployment && isMinded(deployment)) queue.add(keyOf(deployment))
  }
  const ownerOf = (set: Live<ReplicaSet> | undefined) => {
    const reference = set && controllerOf(set)
    return reference?.kind === 'Deployment' ? all.lister.get(set?.metadata.namespace, reference.name) : undefined
  }
  all.on({ add: enqueue, update: (_, after) => enqueue(after) })
  sets.on({ add: (set) => enqueue(ownerOf(set)), update: (_, after) => enqueue(ownerOf(after)) })
  pods.on({
    update: (_, pod) => {
      if (crashLoop(pod) === undefined) return
      const reference = controllerOf(pod)
      if (reference?.kind === 'ReplicaSet') enqueue(ownerOf(sets.lister.get(pod.metadata.namespace, reference.name)))
    },
  })

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key)
    const deployment = all.lister.get(namespace, name)
    if (!deployment || !isMinded(deployment)) return undefined
    const { uid } = deployment.metadata
    const plan = planRollout({
      deployment,
      sets: sets.lister.list(namespace).filter((set) => controllerOf(set)?.uid === uid),
      podsOf: (set) => podsOf(pods, set.metadata.uid),
      nowMs: clock.now(),
    })
    try {
      switch (plan.do) {
        case 'nothing':
          return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs }
        case 'mark':
          await mark(plan.set, plan.state, signal)
          if (plan.state === 'available') await forgive(deployment, signal)
          break
        case 'rollback':
          await rollBack(deployment, plan, signal)
          break
        case 'complain':
          await complain(deployment, plan.failure, signal)
      }
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    return undefined
  }

  async function mark({ metadata }: Live<ReplicaSet>, state: RevisionState, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid, labels } = metadata
    if (labels?.[revisionStateLabel] === state) return
    const body = { metadata: { uid, labels: { [revisionStateLabel]: state } } }
    await api.patch(replicaSets, { namespace, name }, { type: 'merge', body }, { signal })
  }

  /** The mark first: whatever happens then, the revision is not tried again. */
  async function rollBack(
    deployment: Live<Deployment>,
    { from, to, failure }: { from: Live<ReplicaSet>; to: Live<ReplicaSet>; failure: Failure },
    signal: AbortSignal,
  ): Promise<void> {
    await mark(from, 'failed', signal)
    const template: PodTemplateSpec = withoutHash(to.spec?.template ?? {})
    await api.update(deployments, { ...deployment, spec: { selector: {}, ...deployment.spec, template } }, { signal })
    const what = (set: Live<ReplicaSet>) =>
      `revision ${set.metadata.annotations?.[annotationNames.revision] ?? '?'} (${set.metadata.name})`
    const message = `Rolled back from ${what(from)} to ${what(to)}: ${failure.message}`
    events.event(referenceTo(deployment), 'Warning', 'AutoRollback', message)
    await writeCondition(deployment, 'True', failure.reason, message, signal)
  }

  async function complain(deployment: Live<Deployment>, failure: Failure, signal: AbortSignal): Promise<void> {
    const message = `No revision to roll back to was ever completely available: ${failure.message}`
    const standing = conditionOf(deployment)
    if (standing?.status === 'False' && standing.reason === 'NoAvailableRevision') return
    events.event(referenceTo(deployment), 'Warning', 'NoAvailableRevision', message)
    await writeCondition(deployment, 'False', 'NoAvailableRevision', message, signal)
  }

  /** A newer revision is available: what was before is history. */
  async function forgive(deployment: Live<Deployment>, signal: AbortSignal): Promise<void> {
    if (!conditionOf(deployment) || conditionOf(deployment)?.reason === 'RevisionAvailable') return
    await writeCondition(deployment, 'False', 'RevisionAvailable', 'A newer revision is available', signal)
  }

  async function writeCondition(
    deployment: Live<Deployment>,
    status: 'True' | 'False',
    reason: string,
    message: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { namespace, name, uid } = deployment.metadata
    const now = formatTime(clock.now())
    const standing = conditionOf(deployment)
    const since = standing?.status === status ? (standing.lastTransitionTime ?? now) : now
    const condition = { type: rolledBackCondition, status, reason, message }
    const conditions = [{ ...condition, lastUpdateTime: now, lastTransitionTime: since }]
    const body = { metadata: { uid }, status: { conditions } }
    await api.patch(deployments, { namespace, name }, { type: 'strategic', body }, { subresource: 'status', signal })
  }

  return { name: 'rollout', queue, reconcile }
}

const isMinded = ({ metadata }: Live<Deployment>): boolean => metadata.annotations?.[autoRollbackAnnotation] === 'true'

const conditionOf = ({ status }: Live<Deployment>) =>
  status?.conditions?.find(({ type }) => type === rolledBackCondition)

const referenceTo = ({ metadata }: Live<Deployment>) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata })
