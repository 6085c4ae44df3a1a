import {
  autoRollbackAnnotation,
  type RevisionState,
  revisionStateLabel,
  rolledBackCondition,
} from '../../api/gantry/rollout.ts'
import { rolloutStepsAnnotation, stepsPassedLabel } from '../../api/gantry/rollout-steps.ts'
import type { Deployment, PodTemplateSpec, ReplicaSet, Service } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { deployments, replicaSets, services } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { annotationNames } from '../deployment/annotations.ts'
import { noLimit } from '../deployment/sizes.ts'
import { controllerOf } from '../pods/ownership.ts'
import { podInformer, podsOf } from '../pods/pod-index.ts'
import { withoutHash } from '../pods/template-hash.ts'
import type { ControllerDeps } from '../types.ts'
import { type Course, judge } from './analysis.ts'
import { ask } from './ask.ts'
import { crashLoop } from './crash-loop.ts'
import { type Failure, goBack, planRollout, type RolloutPlan } from './plan.ts'

/** How long a step may take in a deployment without a deadline. */
const noDeadlineMs = 600_000

/**
 * Watches over the rollouts of deployments annotated with `gantry.dev/auto-rollback` or `gantry.dev/rollout-steps`: asks at
 * each step whether to go on, and rolls back what fails.
 */
export function newRolloutController(deps: ControllerDeps): Controller {
  const { api, clock, events, informers } = deps
  const queue = new WorkQueue({ clock, name: 'rollout' })
  const all = informers.for<Deployment>(deployments)
  const sets = informers.for<ReplicaSet>(replicaSets)
  const pods = podInformer(informers)

  /** What is being asked about, by the key of the deployment. */
  const courses = new Map<string, Course & { about: string }>()
  const serviceCache = informers.for<Service>(services)

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
    if (!deployment || !isMinded(deployment)) {
      courses.delete(key)
      return undefined
    }
    const { uid } = deployment.metadata
    const plan = planRollout({
      deployment,
      sets: sets.lister.list(namespace).filter((set) => controllerOf(set)?.uid === uid),
      podsOf: (set) => podsOf(pods, set.metadata.uid),
      nowMs: clock.now(),
    })
    if (plan.do !== 'analyse') courses.delete(key)
    try {
      return await carryOut(deployment, plan, signal)
    } catch (error) {
      if (!isNotFound(error)) throw error
      return undefined
    }
  }

  async function carryOut(
    deployment: Live<Deployment>,
    plan: RolloutPlan,
    signal: AbortSignal,
  ): Promise<{ requeueAfterMs: number } | undefined> {
    switch (plan.do) {
      case 'nothing':
        return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs }
      case 'analyse':
        return analyse(deployment, plan, signal)
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
    return undefined
  }

  async function analyse(
    deployment: Live<Deployment>,
    { set, hold, to }: Extract<RolloutPlan, { do: 'analyse' }>,
    signal: AbortSignal,
  ): Promise<{ requeueAfterMs: number } | undefined> {
    const { index, step } = hold
    const key = keyOf(deployment)
    const about = `${set.metadata.uid} ${index}`
    const standing = courses.get(key)
    const course = standing?.about === about ? standing : { startedMs: clock.now(), yesSinceMs: undefined }
    const find = (namespace = deployment.metadata.namespace, name: string) => serviceCache.lister.get(namespace, name)
    const answer = await ask(step.question, find, signal)
    const { progressDeadlineSeconds } = deployment.spec ?? {}
    const deadlineMs =
      progressDeadlineSeconds === undefined || progressDeadlineSeconds === noLimit
        ? noDeadlineMs
        : progressDeadlineSeconds * 1000
    const verdict = judge(step, course, answer, step.withinMs ?? deadlineMs, clock.now())
    const what = `step ${index + 1} (hold ${step.hold}): ${answer.said}`
    switch (verdict.is) {
      case 'open':
        courses.set(key, { ...verdict.course, about })
        return { requeueAfterMs: verdict.nextMs }
      case 'passed':
        courses.delete(key)
        await label(set, { [stepsPassedLabel]: String(index + 1) }, signal)
        events.event(referenceTo(deployment), 'Normal', 'RolloutStepPassed', `${set.metadata.name} has passed ${what}`)
        return undefined
      case 'failed':
        courses.delete(key)
        return carryOut(deployment, goBack(set, to, { reason: 'StepFailed', message: what }), signal)
    }
  }

  async function mark(set: Live<ReplicaSet>, state: RevisionState, signal: AbortSignal): Promise<void> {
    if (set.metadata.labels?.[revisionStateLabel] !== state) await label(set, { [revisionStateLabel]: state }, signal)
  }

  async function label(
    { metadata }: Live<ReplicaSet>,
    labels: Record<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    const { namespace, name, uid } = metadata
    const body = { metadata: { uid, labels } }
    await api.patch(replicaSets, { namespace, name }, { type: 'merge', body }, { signal })
  }

  /** The mark first: whatever happens then, the revision is not tried again. */
  async function rollBack(
    deployment: Live<Deployment>,
    { from, to, failure }: { from: Live<ReplicaSet>; to: Live<ReplicaSet>; failure: Failure },
    signal: AbortSignal,
  ): Promise<void> {
    await mark(from, 'failed', signal)
    await putBack(deployment, withoutHash(to.spec?.template ?? {}), signal)
    const what = (set: Live<ReplicaSet>) =>
      `revision ${set.metadata.annotations?.[annotationNames.revision] ?? '?'} (${set.metadata.name})`
    const message = `Rolled back from ${what(from)} to ${what(to)}: ${failure.message}`
    events.event(referenceTo(deployment), 'Warning', 'AutoRollback', message)
    await writeCondition(deployment, 'True', failure.reason, message, signal)
  }

  /**
   * Gives the deployment the template. Its status may have changed meanwhile: another try in the next round would only know
   * that the revision has failed, and not why. Another spec is somebody's wish, and looked at anew.
   */
  async function putBack(planned: Live<Deployment>, template: PodTemplateSpec, signal: AbortSignal): Promise<void> {
    for (let deployment = planned; ; ) {
      try {
        const spec = { selector: {}, ...deployment.spec, template }
        await api.update(deployments, { ...deployment, spec }, { signal })
        return
      } catch (error) {
        if (!isConflict(error)) throw error
        deployment = await api.get<Deployment>(deployments, planned.metadata, { signal })
        if (deployment.metadata.generation !== planned.metadata.generation) throw error
      }
    }
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

const isMinded = ({ metadata }: Live<Deployment>): boolean =>
  metadata.annotations?.[autoRollbackAnnotation] === 'true' ||
  metadata.annotations?.[rolloutStepsAnnotation] !== undefined

const conditionOf = ({ status }: Live<Deployment>) =>
  status?.conditions?.find(({ type }) => type === rolledBackCondition)

const referenceTo = ({ metadata }: Live<Deployment>) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata })
