import { replacementDueMs } from '../../api/gantry/surge.ts'
import { parseVictims, victimsAnnotation } from '../../api/gantry/victims.ts'
import type { Pod } from '../../api/generated/types.ts'
import type { LabelMatcher } from '../../api/machinery/labels.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNamespaceTerminating } from '../../client/errors.ts'
import { splitKey } from '../../client/key.ts'
import { pods as podResource } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { isActive, isTerminating, untilNextAvailableMs } from '../pods/condition.ts'
import { createPod, deletePod, podFromTemplate } from '../pods/control.ts'
import { Expectations } from '../pods/expectations.ts'
import { claim, controllerOf, type Owner } from '../pods/ownership.ts'
import { orphanPods, podInformer, podsOf } from '../pods/pod-index.ts'
import { slowStart } from '../pods/slow-start.ts'
import type { ControllerDeps } from '../types.ts'
import { watchReplicas } from './handlers.ts'
import { type Replicator, type ReplicatorKind, replicaSetKind, replicationControllerKind } from './kinds.ts'
import { planReplicas } from './plan.ts'
import { replicaStatus, statusDiffers } from './status.ts'

/** Keeps as many pods running as each ReplicaSet says. */
export const newReplicaSetController = (deps: ControllerDeps): Controller => newReplicator(deps, replicaSetKind)

/** The same for ReplicationControllers. */
export const newReplicationController = (deps: ControllerDeps): Controller =>
  newReplicator(deps, replicationControllerKind)

function newReplicator(deps: ControllerDeps, kind: ReplicatorKind): Controller {
  const { api, events, clock } = deps
  const queue = new WorkQueue({ clock, name: kind.name })
  const expectations = new Expectations(clock)
  const sets = deps.informers.for<object>(kind.ref)
  const pods = podInformer(deps.informers)
  watchReplicas({ kind, sets, pods, queue, expectations })

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key)
    const set = sets.lister.get(namespace, name) as Replicator | undefined
    if (!set) {
      expectations.forget(key)
      return undefined
    }
    const selects = kind.selects(set)
    if (!selects) return undefined
    // Asked before the pods are listed: what comes in between only makes the list more right than the answer.
    const mayAct = expectations.satisfied(key) && set.metadata.deletionTimestamp === undefined
    const owner: Owner = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: set.metadata }
    const own = podsOf(pods, set.metadata.uid)
    const active = await claim({
      api,
      owner,
      ownerRef: kind.ref,
      matches: selects,
      candidates: [...own, ...orphanPods(pods, namespace)].filter(isActive),
      candidateRef: podResource,
      signal,
    })
    const failure = mayAct ? await act(key, set, owner, active, signal) : undefined
    const nowMs = clock.now()
    const terminating = kind.countsTerminating ? countTerminating(own, selects) : undefined
    const status = replicaStatus({ object: set, active, terminating, failure, nowMs })
    if (statusDiffers(set, status)) await writeStatus(set, status, signal)
    if (failure !== undefined) throw failure
    const waits = toBeReplaced(active, nowMs)
    const minReadySeconds = set.spec?.minReadySeconds ?? 0
    if (minReadySeconds > 0 && status.readyReplicas !== status.availableReplicas) {
      waits.push(untilNextAvailableMs(active, minReadySeconds, nowMs) ?? minReadySeconds * 1000)
    }
    return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined
  }

  /** Creates or deletes what is missing or too many. Returns what went wrong, for the status and for another try. */
  async function act(
    key: string,
    set: Replicator,
    owner: Owner,
    active: Live<Pod>[],
    signal: AbortSignal,
  ): Promise<unknown> {
    const nowMs = clock.now()
    const replicas = set.spec?.replicas ?? 1
    const victims = parseVictims(set.metadata.annotations?.[victimsAnnotation])
    const desired = replicas + Math.min(replicas, toBeReplaced(active, nowMs).length)
    const plan = planReplicas({ desired, pods: active, related: () => relatedPods(set), nowMs, victims })
    const means = { api, events, signal }
    switch (plan.do) {
      case 'nothing':
        return undefined
      case 'create': {
        const pod = podFromTemplate(owner, set.spec?.template ?? {})
        const creating = expectations.creating(key)
        try {
          const { error } = await slowStart(plan.count, async () => {
            const created = await createPod(means, owner, pod)
            creating.created(created.uid ?? '')
          })
          return isNamespaceTerminating(error) ? undefined : error
        } finally {
          creating.close()
        }
      }
      case 'delete': {
        expectations.deleting(
          key,
          plan.pods.map(({ metadata }) => metadata.uid ?? ''),
        )
        const results = await Promise.allSettled(
          plan.pods.map(async (pod) => {
            let deleted = false
            try {
              deleted = await deletePod(means, owner, pod)
            } finally {
              if (!deleted) expectations.deletionSeen(key, pod.metadata.uid ?? '')
            }
          }),
        )
        return results.find((result) => result.status === 'rejected')?.reason
      }
    }
  }

  /** The pods of all sets that the same Deployment owns. */
  function relatedPods(set: Replicator): Live<Pod>[] {
    const controller = controllerOf(set)
    if (!controller) return []
    return sets.lister
      .list(set.metadata.namespace)
      .filter((other) => controllerOf(other)?.uid === controller.uid)
      .flatMap((other) => podsOf(pods, other.metadata.uid))
  }

  /** A conflict is tried once more on what the server has; generation and counts stay those that were decided upon. */
  async function writeStatus(set: Replicator, status: object, signal: AbortSignal): Promise<void> {
    const write = (object: Replicator) =>
      api.update<object>(kind.ref, { ...object, status }, { subresource: 'status', signal })
    try {
      await write(set)
    } catch (error) {
      if (!isConflict(error)) throw error
      const { namespace, name, uid } = set.metadata
      const fresh = (await api.get<object>(kind.ref, { namespace, name }, { signal })) as Replicator
      if (fresh.metadata.uid === uid) await write(fresh)
    }
  }

  return { name: kind.name, workers: deps.options.workers[kind.flag] ?? 5, queue, reconcile }
}

/** For each pod that is to have a replacement before it is evicted, how many milliseconds that holds. */
const toBeReplaced = (pods: readonly Live<Pod>[], nowMs: number): number[] =>
  pods.map(({ metadata }) => replacementDueMs(metadata, nowMs)).filter((leftMs) => leftMs > 0)

const countTerminating = (own: readonly Live<Pod>[], selects: LabelMatcher): number =>
  own.filter((pod) => isTerminating(pod) && selects(pod.metadata.labels ?? {})).length
