import type { Deployment, DeploymentSpec, OwnerReference, Pod, ReplicaSet } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import { labelSelectorMatcher } from '../../api/machinery/labels.ts'
import { remembered } from '../../api/machinery/remembered.ts'
import type { Controller } from '../../client/controller.ts'
import { isNamespaceTerminating } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { deployments, replicaSets } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { OwnWrites } from '../pods/own-writes.ts'
import { claim, controllerOf } from '../pods/ownership.ts'
import { podInformer, podsOf } from '../pods/pod-index.ts'
import type { ControllerDeps } from '../types.ts'
import { execute, ownName } from './execute.ts'
import { planDeployment } from './sync.ts'

/** How long to wait, at most, for a cache that does not show what was written. */
const lateCacheMs = 61_000

/** Brings each Deployment's replica sets to its template and size, step by step as its strategy says. */
export function newDeploymentController(deps: ControllerDeps): Controller {
  const { api, events, clock, informers } = deps
  const queue = new WorkQueue({ clock, name: 'deployment' })
  const writes = new OwnWrites(clock)
  const all = informers.for<Deployment>(deployments)
  const sets = informers.for<ReplicaSet>(replicaSets)
  const pods = podInformer(informers)

  const enqueue = (deployment: Live<Deployment>) => queue.add(keyOf(deployment))

  function owner(namespace: string | undefined, reference: OwnerReference | undefined): Live<Deployment> | undefined {
    if (reference?.kind !== 'Deployment') return undefined
    const deployment = all.lister.get(namespace, reference.name)
    return deployment?.metadata.uid === reference.uid ? deployment : undefined
  }
  const enqueueOwnerOf = (set: Live<ReplicaSet>): Live<Deployment> | undefined => {
    const deployment = owner(set.metadata.namespace, controllerOf(set))
    if (deployment) enqueue(deployment)
    return deployment
  }
  const offerOrphan = ({ metadata: { namespace, labels } }: Live<ReplicaSet>) => {
    if (!labels || Object.keys(labels).length === 0) return
    for (const deployment of all.lister.list(namespace)) {
      if (!selectsAll(deployment) && matcherOf(deployment)(labels)) enqueue(deployment)
    }
  }

  all.on({
    add: enqueue,
    update: (_, after) => enqueue(after),
    delete: (deployment) => {
      writes.forget(keyOf(deployment))
      enqueue(deployment)
    },
  })
  sets.on({
    add: (set) => {
      if (controllerOf(set)) enqueueOwnerOf(set)
      else if (set.metadata.deletionTimestamp === undefined) offerOrphan(set)
    },
    update: (before, after) => {
      const [was, is] = [controllerOf(before), controllerOf(after)]
      const moved = !semanticEqual(was, is)
      if (moved) enqueueOwnerOf(before)
      if (is) enqueueOwnerOf(after)
      else if (moved || !semanticEqual(before.metadata.labels, after.metadata.labels)) offerOrphan(after)
    },
    delete: (set) => {
      const deployment = enqueueOwnerOf(set)
      if (deployment) writes.forget(keyOf(deployment), keyOf(set))
    },
  })
  // A Recreate deployment waits for the last of its old pods to go.
  pods.on({
    delete: (pod) => {
      const reference = controllerOf(pod)
      if (reference?.kind !== 'ReplicaSet') return
      const set = sets.lister.get(pod.metadata.namespace, reference.name)
      if (set?.metadata.uid !== reference.uid) return
      const deployment = set && owner(set.metadata.namespace, controllerOf(set))
      if (deployment?.spec?.strategy?.type === 'Recreate') enqueue(deployment)
    },
  })

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key)
    const deployment = all.lister.get(namespace, name)
    if (!deployment) {
      writes.forget(key)
      return undefined
    }
    const seen = writes.seen(key, (object) =>
      object === ownName ? deployment.metadata.resourceVersion : sets.lister.byKey(object)?.metadata.resourceVersion,
    )
    // What is missing in the cache brings the deployment back when it arrives.
    if (!seen) return { requeueAfterMs: lateCacheMs }
    if (selectsAll(deployment)) return refuseToSelectAll(deployment, signal)
    const metadata = deployment.metadata
    const own = await claim({
      api,
      owner: { apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      ownerRef: deployments,
      matches: matcherOf(deployment),
      candidates: sets.lister.list(namespace),
      candidateRef: replicaSets,
      signal,
    })
    const nowMs = clock.now()
    const podsOfSet = (set: Live<ReplicaSet>): Live<Pod>[] => podsOf(pods, set.metadata.uid)
    const plan = planDeployment({ deployment, sets: own, podsOf: podsOfSet, nowMs })
    try {
      await execute({ api, events, writes, nowMs, signal }, deployment, plan)
    } catch (error) {
      // In a namespace that is on its way out no try will succeed.
      if (isNamespaceTerminating(error)) return undefined
      throw error
    }
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs }
  }

  async function refuseToSelectAll(deployment: Live<Deployment>, signal: AbortSignal): Promise<undefined> {
    const { metadata, status } = deployment
    const about = { apiVersion: 'apps/v1', kind: 'Deployment', metadata }
    const message = 'This deployment is selecting all pods. A non-empty selector is required.'
    events.event(about, 'Warning', 'SelectingAll', message)
    const { generation = 0 } = metadata
    if ((status?.observedGeneration ?? 0) >= generation) return undefined
    const seen = { ...deployment, status: { ...status, observedGeneration: generation } }
    await api.update(deployments, seen, { subresource: 'status', signal })
    return undefined
  }

  return { name: 'deployment', workers: deps.options.workers.deployment ?? 5, queue, reconcile }
}

const selectsAll = ({ spec }: Live<Deployment>): boolean => semanticEqual((spec as DeploymentSpec).selector, {})

const matcherOf = remembered(({ spec }: Live<Deployment>) => labelSelectorMatcher((spec as DeploymentSpec).selector))
