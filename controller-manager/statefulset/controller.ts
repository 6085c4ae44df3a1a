import type { PersistentVolumeClaim, Pod, StatefulSet, StatefulSetSpec } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import { labelSelectorMatcher } from '../../api/machinery/labels.ts'
import type { Controller } from '../../client/controller.ts'
import { isAlreadyExists, isConflict, isNamespaceTerminating, isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { persistentVolumeClaims, pods as podResource, statefulSets } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { untilNextAvailableMs } from '../pods/condition.ts'
import { OwnWrites } from '../pods/own-writes.ts'
import { claim, type Owner } from '../pods/ownership.ts'
import { orphanPods, podInformer, podsOf } from '../pods/pod-index.ts'
import { slowStart } from '../pods/slow-start.ts'
import { watchOwnedPods } from '../pods/watch-owned.ts'
import { RevisionKeeper } from '../revisions/keeper.ts'
import { byNumber, hashLabel, revisionLabel, surplusRevisions, templateOf } from '../revisions/revisions.ts'
import type { ControllerDeps } from '../types.ts'
import { claimsFor, isMember, withIdentity } from './identity.ts'
import { planStatefulSet, type Step, untilNextStuckMs, type World } from './plan.ts'
import { claimOwners } from './retention.ts'
import { statefulSetStatus } from './status.ts'

/** How long to wait, at most, for a cache that does not show what was written. */
const lateCacheMs = 61_000

/** Keeps each StatefulSet's pods, with their names, numbers and volumes, and updates them in order. */
export function newStatefulSetController(deps: ControllerDeps): Controller {
  const { api, events, clock, informers } = deps
  const queue = new WorkQueue({ clock, name: 'statefulset' })
  const writes = new OwnWrites(clock)
  const sets = informers.for<StatefulSet>(statefulSets)
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const pods = podInformer(informers)
  const keeper = new RevisionKeeper(api, informers)
  watchOwnedPods<StatefulSet>({
    kind: 'StatefulSet',
    owners: sets,
    pods,
    queue,
    selects: ({ spec }, labels) => labelSelectorMatcher((spec as StatefulSetSpec).selector)(labels),
    minReadySeconds: ({ spec }) => spec?.minReadySeconds ?? 0,
    gone: (key, pod) => writes.forget(key, keyOf(pod)),
  })

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key)
    const set = sets.lister.get(namespace, name)
    if (!set?.spec) {
      writes.forget(key)
      return undefined
    }
    if (!writes.seen(key, (pod) => pods.lister.byKey(pod)?.metadata.resourceVersion)) {
      return { requeueAfterMs: lateCacheMs }
    }
    const { spec } = set
    const matches = labelSelectorMatcher(spec.selector)
    const owner: Owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: set.metadata }
    const own = await claim({
      api,
      owner,
      ownerRef: statefulSets,
      matches,
      candidates: [...podsOf(pods, set.metadata.uid), ...orphanPods(pods, namespace)],
      candidateRef: podResource,
      belongs: (pod) => isMember(set, pod),
      signal,
    })
    const history = await keeper.record({
      owner,
      ownerRef: statefulSets,
      template: spec.template,
      matches,
      collisionCount: set.status?.collisionCount ?? 0,
      label: hashLabel,
      signal,
    })
    const { update } = history
    const current = history.revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update
    const nowMs = clock.now()
    const world: World = {
      set,
      pods: own,
      current: { name: current.metadata.name, template: templateOf(current) },
      update: { name: update.metadata.name, template: spec.template },
      claimsOf: (pod) =>
        [...claimsFor(set, pod).values()].flatMap(({ metadata }) => claims.lister.get(namespace, metadata.name) ?? []),
      nowMs,
    }
    const steps = planStatefulSet(world)
    const failure = await execute(key, set, steps, signal)
    const status = statefulSetStatus(world, failure === undefined ? steps : [], history.collisionCount)
    if (!semanticEqual(set.status, status)) {
      await api.update(statefulSets, { ...set, status }, { subresource: 'status', signal })
    }
    if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure
    const used = new Set([
      status.currentRevision,
      update.metadata.name,
      ...own.map(({ metadata }) => metadata.labels?.[revisionLabel]),
    ])
    const surplus = surplusRevisions(
      history.revisions.sort(byNumber),
      ({ metadata }) => used.has(metadata.name),
      spec.revisionHistoryLimit ?? 10,
    )
    await keeper.forget(surplus, signal)
    const waits = [untilNextAvailableMs(own, spec.minReadySeconds ?? 0, nowMs), untilNextStuckMs(world)]
    const wait = Math.min(...waits.map((ms) => ms ?? Number.POSITIVE_INFINITY))
    return wait === Number.POSITIVE_INFINITY ? undefined : { requeueAfterMs: wait }
  }

  /** Returns the first failure. In order one ends it all; in parallel mode, a batch. */
  async function execute(
    key: string,
    set: Live<StatefulSet>,
    steps: readonly Step[],
    signal: AbortSignal,
  ): Promise<unknown> {
    if (set.spec?.podManagementPolicy === 'Parallel') {
      const left = [...steps]
      const { error } = await slowStart(steps.length, () => take(key, set, left.shift() as Step, signal))
      return error
    }
    try {
      for (const step of steps) await take(key, set, step, signal)
      return undefined
    } catch (error) {
      return error
    }
  }

  async function take(key: string, set: Live<StatefulSet>, step: Step, signal: AbortSignal): Promise<void> {
    const { pod } = step
    switch (step.do) {
      case 'create':
        return tell(set, 'Create', pod, async () => {
          await makeClaims(set, pod, signal)
          const made = await api.create<Pod>(podResource, pod, { signal })
          writes.wrote(key, keyOf(made), made.metadata.resourceVersion)
        })
      case 'delete':
        return tell(set, 'Delete', pod, async () => {
          const { uid } = pod.metadata
          const preconditions = uid === undefined ? {} : { preconditions: { uid } }
          await api.delete(podResource, pod.metadata, { ...preconditions, signal }).catch(unlessGone)
        })
      case 'claims':
        await makeClaims(set, pod, signal)
        return ownClaims(set, pod, signal)
      case 'repair':
        return tell(set, 'Update', pod, async () => {
          await makeClaims(set, pod, signal)
          const { resourceVersion } = (await api.update<Pod>(podResource, withIdentity(set, pod), { signal })).metadata
          writes.wrote(key, keyOf(pod), resourceVersion)
        })
    }
  }

  /** Tells of the outcome as upstream does; a pod that is there already is no news. */
  async function tell(set: Live<StatefulSet>, verb: string, { metadata }: Live<Pod>, work: () => Promise<void>) {
    const about = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: set.metadata }
    const what = `${verb} Pod ${metadata.name} in StatefulSet ${set.metadata.name}`
    try {
      await work()
      events.event(about, 'Normal', `Successful${verb}`, `${what} successful`)
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) {
        events.event(about, 'Warning', `Failed${verb}`, `${what} failed error: ${(error as Error).message}`)
      }
      throw error
    }
  }

  async function makeClaims(set: Live<StatefulSet>, pod: Live<Pod>, signal: AbortSignal): Promise<void> {
    const about = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: set.metadata }
    for (const wanted of claimsFor(set, pod).values()) {
      const { name } = wanted.metadata
      const standing = claims.lister.get(set.metadata.namespace, name)
      if (standing?.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`)
      if (standing) continue
      const what = `Create Claim ${name} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`
      try {
        await api.create<PersistentVolumeClaim>(persistentVolumeClaims, wanted, { signal })
        events.event(about, 'Normal', 'SuccessfulCreate', `${what} success`)
      } catch (error) {
        if (isAlreadyExists(error)) continue
        const { message } = error as Error
        events.event(about, 'Warning', 'FailedCreate', `${what} failed error: ${message}`)
        throw new Error(`failed to create PVC ${name}: ${message}`, { cause: error })
      }
    }
  }

  async function ownClaims(set: Live<StatefulSet>, pod: Live<Pod>, signal: AbortSignal): Promise<void> {
    for (const { metadata } of claimsFor(set, pod).values()) {
      const standing = claims.lister.get(set.metadata.namespace, metadata.name)
      const ownerReferences = standing && claimOwners(set, pod, standing)
      if (!standing || !ownerReferences) continue
      const owned = { ...standing, metadata: { ...standing.metadata, ownerReferences } }
      await api.update<PersistentVolumeClaim>(persistentVolumeClaims, owned, { signal })
    }
  }

  // A claim that came, went or changed its owners may be what a pod waits for.
  claims.on({
    add: wakeOwnerOfClaim,
    update: (_, after) => wakeOwnerOfClaim(after),
    delete: wakeOwnerOfClaim,
  })
  function wakeOwnerOfClaim({ metadata }: Live<PersistentVolumeClaim>): void {
    for (const set of sets.lister.list(metadata.namespace)) {
      const templates = set.spec?.volumeClaimTemplates ?? []
      if (templates.some((template) => metadata.name.startsWith(`${template.metadata?.name}-${set.metadata.name}-`))) {
        queue.add(keyOf(set))
      }
    }
  }

  return { name: 'statefulset', workers: deps.options.workers.statefulset ?? 5, queue, reconcile }
}

/** Gone, or another of the name has come: either way there is nothing left to delete. */
function unlessGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error
}
