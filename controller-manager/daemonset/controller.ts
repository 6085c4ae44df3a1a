import type { DaemonSet, DaemonSetSpec, Node, Pod } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import { labelSelectorMatcher } from '../../api/machinery/labels.ts'
import type { Controller } from '../../client/controller.ts'
import { isNamespaceTerminating } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { daemonSets, nodes as nodeResource, pods as podResource } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { untilNextAvailableMs } from '../pods/condition.ts'
import { createPod, deletePod } from '../pods/control.ts'
import { Expectations } from '../pods/expectations.ts'
import { claim, type Owner } from '../pods/ownership.ts'
import { orphanPods, podInformer, podsOf } from '../pods/pod-index.ts'
import { slowStart } from '../pods/slow-start.ts'
import { watchOwnedPods } from '../pods/watch-owned.ts'
import { RevisionKeeper } from '../revisions/keeper.ts'
import { revisionLabel, surplusRevisions } from '../revisions/revisions.ts'
import type { ControllerDeps } from '../types.ts'
import { Backoff } from './backoff.ts'
import { daemonPod } from './daemon-pod.ts'
import { type Plan, planDaemons, type World } from './plan.ts'
import { planUpdate } from './rolling.ts'
import { daemonSetStatus } from './status.ts'

/** At most as many pods are created or deleted at a time. */
const burst = 250

/** Keeps a pod of each DaemonSet on every node that is to have one. */
export function newDaemonSetController(deps: ControllerDeps): Controller {
  const { api, events, clock, informers } = deps
  const queue = new WorkQueue({ clock, name: 'daemonset' })
  const expectations = new Expectations(clock)
  const backoff = new Backoff()
  const sets = informers.for<DaemonSet>(daemonSets)
  const nodes = informers.for<Node>(nodeResource)
  const pods = podInformer(informers)
  const keeper = new RevisionKeeper(api, informers)
  watchOwnedPods<DaemonSet>({
    kind: 'DaemonSet',
    owners: sets,
    pods,
    queue,
    selects: ({ spec }, labels) => labelSelectorMatcher((spec as DaemonSetSpec).selector)(labels),
    minReadySeconds: ({ spec }) => spec?.minReadySeconds ?? 0,
    created: (key, pod) => expectations.creationSeen(key, pod.metadata.uid ?? ''),
    gone: (key, pod) => expectations.deletionSeen(key, pod.metadata.uid ?? ''),
  })
  sets.on({ delete: (set) => expectations.forget(keyOf(set)) })
  const enqueueAll = () => {
    for (const set of sets.lister.list()) queue.add(keyOf(set))
  }
  nodes.on({
    add: enqueueAll,
    update: (before, after) => {
      const same =
        semanticEqual(before.metadata.labels, after.metadata.labels) &&
        semanticEqual(before.spec?.taints, after.spec?.taints)
      if (!same) enqueueAll()
    },
    delete: enqueueAll,
  })

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key)
    const set = sets.lister.get(namespace, name)
    if (!set?.spec) {
      expectations.forget(key)
      return undefined
    }
    const owner: Owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: set.metadata }
    if (semanticEqual(set.spec.selector, {})) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.'
      events.event(owner, 'Warning', 'SelectingAll', message)
      return undefined
    }
    if (set.metadata.deletionTimestamp !== undefined) return undefined
    const matches = labelSelectorMatcher(set.spec.selector)
    const history = await keeper.record({
      owner,
      ownerRef: daemonSets,
      template: set.spec.template,
      matches,
      collisionCount: set.status?.collisionCount ?? 0,
      label: revisionLabel,
      signal,
    })
    const settled = expectations.satisfied(key)
    const own = await claim({
      api,
      owner,
      ownerRef: daemonSets,
      matches,
      candidates: [...podsOf(pods, set.metadata.uid), ...orphanPods(pods, namespace)],
      candidateRef: podResource,
      signal,
    })
    const nowMs = clock.now()
    const backoffKey = (node: string) => `${set.metadata.uid}/${set.status?.observedGeneration ?? 0}/${node}`
    const world: World = {
      set,
      nodes: nodes.lister.list(),
      pods: own,
      hash: history.update.metadata.labels?.[revisionLabel] ?? '',
      failedPodWaitMs: (node) => backoff.remainingMs(backoffKey(node), nowMs),
      nowMs,
    }
    const plan = settled ? planDaemons(world) : undefined
    let failure: unknown
    if (plan) {
      if (plan.create.length === 0 && plan.delete.length === 0) {
        const update = planUpdate(world)
        plan.create = update.create
        plan.delete = update.delete.map((pod) => ({ pod, why: 'other' }))
      }
      tellOfEnded(owner, plan, (node) => backoff.next(backoffKey(node), nowMs))
      failure = await execute(key, owner, world, plan, signal)
    }
    const status = daemonSetStatus(world, plan !== undefined && failure === undefined, history.collisionCount)
    if (!semanticEqual(set.status, status)) {
      await api.update(daemonSets, { ...set, status }, { subresource: 'status', signal })
    }
    if (failure !== undefined) throw failure
    if (plan) {
      const inUse = new Set([world.hash, ...own.map(({ metadata }) => metadata.labels?.[revisionLabel])])
      const limit = set.spec.revisionHistoryLimit ?? 10
      const isUsed = (revision: { metadata: { labels?: Record<string, string> } }) =>
        inUse.has(revision.metadata.labels?.[revisionLabel])
      await keeper.forget(surplusRevisions(history.revisions, isUsed, limit), signal)
    }
    const waits = [plan?.requeueAfterMs, untilNextAvailableMs(own, set.spec.minReadySeconds ?? 0, nowMs)]
    const wait = Math.min(...waits.map((one) => one ?? Number.POSITIVE_INFINITY))
    return Number.isFinite(wait) ? { requeueAfterMs: wait } : undefined
  }

  function tellOfEnded(owner: Owner, plan: Plan, onFailed: (node: string) => void): void {
    for (const { pod, why } of plan.delete) {
      const { namespace, name } = pod.metadata
      const node = pod.spec?.nodeName ?? ''
      if (why === 'failed') {
        onFailed(node)
        const message = `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`
        events.event(owner, 'Warning', 'FailedDaemonPod', message)
      } else if (why === 'succeeded') {
        const message = `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`
        events.event(owner, 'Normal', 'SucceededDaemonPod', message)
      }
    }
  }

  /** Returns the first failure. */
  async function execute(
    key: string,
    owner: Owner,
    { set, hash }: World,
    plan: Plan,
    signal: AbortSignal,
  ): Promise<unknown> {
    const means = { api, events, signal }
    const left = plan.create.slice(0, burst)
    const creating = expectations.creating(key)
    let failure: unknown
    try {
      const { error } = await slowStart(left.length, async () => {
        const created = await createPod(means, owner, daemonPod(set, left.shift() as string, hash))
        creating.created(created.uid ?? '')
      })
      if (error !== undefined && !isNamespaceTerminating(error)) failure = error
    } finally {
      creating.close()
    }
    const leaving: Live<Pod>[] = plan.delete.slice(0, burst).map(({ pod }) => pod)
    expectations.deleting(
      key,
      leaving.map(({ metadata }) => metadata.uid ?? ''),
    )
    const results = await Promise.allSettled(
      leaving.map(async (pod) => {
        let deleted = false
        try {
          deleted = await deletePod(means, owner, pod)
        } finally {
          if (!deleted) expectations.deletionSeen(key, pod.metadata.uid ?? '')
        }
      }),
    )
    return failure ?? results.find((result) => result.status === 'rejected')?.reason
  }

  return { name: 'daemonset', workers: deps.options.workers.daemonset ?? 2, queue, reconcile }
}
