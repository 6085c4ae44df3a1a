import type { Deployment, DeploymentStatus, ReplicaSet } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../../client/errors.ts'
import type { EventRecorder } from '../../client/events.ts'
import { keyOf } from '../../client/key.ts'
import { deployments, replicaSets } from '../../client/resources.ts'
import type { Api, Live } from '../../client/types.ts'
import type { OwnWrites } from '../pods/own-writes.ts'
import { controllerOf } from '../pods/ownership.ts'
import { sameTemplate } from '../pods/template-hash.ts'
import { annotationNames } from './annotations.ts'
import { newCondition, withCondition } from './conditions.ts'
import type { Draft } from './draft.ts'
import { objectOf } from './new-set.ts'
import { hasDeadline } from './progress.ts'
import type { Plan, Step } from './sync.ts'

interface Means {
  api: Api
  events: EventRecorder
  writes: OwnWrites
  nowMs: number
  signal: AbortSignal
}

/**
 * Carries out a plan: the steps in order, then the status. The first step that fails ends it, with the failure in the status
 * where it is one of creating the new set. Throws that error.
 */
export async function execute(means: Means, deployment: Live<Deployment>, plan: Plan): Promise<void> {
  for (const step of plan.steps) {
    // Not a copy of the status any more: the object's version has changed.
    if (step.do === 'rollback') return rewrite(means, deployment, step)
    await take(means, deployment, step)
  }
  await writeStatus(means, deployment, plan.status, plan.revision)
}

async function take(means: Means, deployment: Live<Deployment>, step: Exclude<Step, { do: 'rollback' }>) {
  switch (step.do) {
    case 'create':
      return createSet(means, deployment, step.draft)
    case 'update':
      return updateSet(means, deployment, step.draft)
    case 'delete':
      return deleteSet(means, step.draft)
  }
}

async function createSet(means: Means, deployment: Live<Deployment>, draft: Draft): Promise<void> {
  const { api, events, signal } = means
  try {
    const created = await api.create(replicaSets, objectOf(draft), { signal })
    remember(means, deployment, created)
    if (draft.replicas > 0) tellOfScaling(events, deployment, created.metadata.name, 0, draft.replicas)
  } catch (error) {
    if (isAlreadyExists(error)) return settleCollision(means, deployment, draft, error)
    if (!isNamespaceTerminating(error)) await tellOfFailedCreation(means, deployment, draft, error as Error)
    throw error
  }
}

/**
 * A set of that name is there already. If it is this deployment's, of this template, an earlier try made it and the cache is
 * late. Otherwise another template has the same hash: the next try counts the collision in and gets another name.
 */
async function settleCollision(means: Means, deployment: Live<Deployment>, draft: Draft, error: unknown) {
  const { namespace, name } = draft.set.metadata
  const found: Live<ReplicaSet> = await means.api.get(replicaSets, { namespace, name }, { signal: means.signal })
  const own = controllerOf(found)?.uid === deployment.metadata.uid
  if (own && sameTemplate(found.spec?.template, deployment.spec?.template)) {
    return remember(means, deployment, found)
  }
  const collisionCount = (deployment.status?.collisionCount ?? 0) + 1
  await writeStatus(means, deployment, { ...deployment.status, collisionCount }, undefined)
  throw error
}

async function tellOfFailedCreation(means: Means, deployment: Live<Deployment>, draft: Draft, error: Error) {
  const message = `Failed to create new replica set "${draft.set.metadata.name}": ${error.message}`
  means.events.event(asOwner(deployment), 'Warning', 'ReplicaSetCreateError', message)
  if (!hasDeadline(deployment)) return
  const condition = newCondition('Progressing', 'False', 'ReplicaSetCreateError', message, means.nowMs)
  const conditions = [...withCondition(deployment.status?.conditions ?? [], condition)]
  await writeStatus(means, deployment, { ...deployment.status, conditions }, undefined)
}

async function updateSet(means: Means, deployment: Live<Deployment>, draft: Draft): Promise<void> {
  const { api, events, signal } = means
  const updated = await api.update(replicaSets, objectOf(draft), { signal })
  remember(means, deployment, updated)
  const before = draft.set.spec?.replicas ?? 1
  if (before !== draft.replicas) tellOfScaling(events, deployment, updated.metadata.name, before, draft.replicas)
}

async function deleteSet({ api, signal }: Means, { set }: Draft): Promise<void> {
  const { namespace, name, uid, resourceVersion } = set.metadata
  try {
    // The version as well: a set that got pods meanwhile must stay.
    const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) }
    await api.delete(replicaSets, { namespace, name }, { preconditions, signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

async function rewrite(
  means: Means,
  deployment: Live<Deployment>,
  { rollback }: Extract<Step, { do: 'rollback' }>,
): Promise<void> {
  const updated = await means.api.update(deployments, rollback.deployment, { signal: means.signal })
  means.writes.wrote(keyOf(deployment), ownName, updated.metadata.resourceVersion)
  const { type, reason, message } = rollback.event
  means.events.event(asOwner(deployment), type, reason, message)
}

/** Status and revision in one write: on deployments, a write of the status takes annotations along. */
async function writeStatus(
  means: Means,
  deployment: Live<Deployment>,
  status: DeploymentStatus,
  revision: string | undefined,
): Promise<void> {
  const annotations = { ...deployment.metadata.annotations }
  if (revision !== undefined) annotations[annotationNames.revision] = revision
  if (
    semanticEqual(deployment.status, status) &&
    annotations[annotationNames.revision] === deployment.metadata.annotations?.[annotationNames.revision]
  ) {
    return
  }
  const object = { ...deployment, metadata: { ...deployment.metadata, annotations }, status }
  const updated = await means.api.update(deployments, object, { subresource: 'status', signal: means.signal })
  means.writes.wrote(keyOf(deployment), ownName, updated.metadata.resourceVersion)
}

/** Under which {@link OwnWrites} knows the deployment itself. A replica set's key has a slash. */
export const ownName = ''

const remember = ({ writes }: Means, deployment: Live<Deployment>, set: Live<ReplicaSet>): void =>
  writes.wrote(keyOf(deployment), keyOf(set), set.metadata.resourceVersion)

function tellOfScaling(events: EventRecorder, deployment: Live<Deployment>, name: string, from: number, to: number) {
  const direction = from < to ? 'up' : 'down'
  const message = `Scaled ${direction} replica set ${name} from ${from} to ${to}`
  events.event(asOwner(deployment), 'Normal', 'ScalingReplicaSet', message)
}

const asOwner = ({ metadata }: Live<Deployment>) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata })
