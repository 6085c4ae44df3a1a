import type {
  Deployment,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import { type LabelMatcher, labelSelectorMatcher } from '../../api/machinery/labels.ts'
import { remembered } from '../../api/machinery/remembered.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import {
  deployments,
  podDisruptionBudgets,
  replicaSets,
  replicationControllers,
  statefulSets,
} from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { controllerOf } from '../pods/ownership.ts'
import { podInformer } from '../pods/pod-index.ts'
import type { ControllerDeps } from '../types.ts'
import { type Budget, failedStatus, planBudget } from './plan.ts'

interface Scaled {
  metadata: { uid?: string }
  spec?: { replicas?: number }
}

/** Keeps in each PodDisruptionBudget's status how many evictions it allows. */
export function newDisruptionController(deps: ControllerDeps): Controller {
  const { api, events, clock, informers } = deps
  const queue = new WorkQueue({ clock, name: 'disruption' })
  const budgets = informers.for<PodDisruptionBudget>(podDisruptionBudgets)
  const pods = podInformer(informers)
  const sets = informers.for<ReplicaSet>(replicaSets)
  const owners = {
    Deployment: informers.for<Deployment>(deployments),
    ReplicaSet: sets,
    ReplicationController: informers.for<ReplicationController>(replicationControllers),
    StatefulSet: informers.for<StatefulSet>(statefulSets),
  }
  const enqueue = (budget: Live<PodDisruptionBudget>) => queue.add(keyOf(budget))
  const enqueueFor = (...seen: Live<Pod>[]) => {
    for (const budget of budgets.lister.list(seen[0]?.metadata.namespace)) {
      if (seen.some(({ metadata }) => matcherOf(budget)(metadata.labels ?? {}))) enqueue(budget)
    }
  }
  budgets.on({ add: enqueue, update: (_, after) => enqueue(after), delete: enqueue })
  pods.on({ add: enqueueFor, update: enqueueFor, delete: enqueueFor })
  // Another size makes another number of expected pods, even before any pod has changed.
  for (const informer of Object.values(owners)) {
    informer.on({
      update: (before: Live<Scaled & object>, after: Live<Scaled & object>) => {
        if (before.spec?.replicas === after.spec?.replicas) return
        for (const budget of budgets.lister.list(after.metadata.namespace)) enqueue(budget)
      },
    })
  }

  /** A replica set of a deployment counts as that. */
  function scaleOf({ metadata }: Live<Pod>): { uid: string; replicas: number } | undefined {
    let reference = controllerOf({ metadata })
    if (!reference) return undefined
    const { namespace, name } = metadata
    const set = reference.kind === 'ReplicaSet' ? sets.lister.get(namespace, reference.name) : undefined
    const above = set?.metadata.uid === reference.uid ? controllerOf(set) : undefined
    if (above?.kind === 'Deployment') reference = above
    const informer = Object.hasOwn(owners, reference.kind) ? owners[reference.kind as keyof typeof owners] : undefined
    const owner = informer?.lister.get(namespace, reference.name) as Scaled | undefined
    if (owner?.metadata.uid !== reference.uid) throw new Error(`found no controllers for pod ${JSON.stringify(name)}`)
    return { uid: reference.uid, replicas: owner.spec?.replicas ?? 1 }
  }

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key)
    const budget = budgets.lister.get(namespace, name)
    if (!budget) return undefined
    const about = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: budget.metadata }
    const matches = matcherOf(budget)
    const own = pods.lister.list(namespace).filter(({ metadata }) => matches(metadata.labels ?? {}))
    if (own.length === 0) events.event(about, 'Normal', 'NoPods', 'No matching pods found')
    let plan: Budget
    try {
      plan = planBudget(budget, own, scaleOf, clock.now())
    } catch (error) {
      const { message } = error as Error
      const what = `Failed to calculate the number of expected pods: ${message}`
      events.event(about, 'Warning', 'CalculateExpectedPodCountFailed', what)
      await write(budget, failedStatus(budget, message, clock.now()), signal)
      throw error
    }
    if (plan.unmanaged) {
      const what =
        'Pods selected by this PodDisruptionBudget were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
      events.event(about, 'Warning', 'UnmanagedPods', what)
    }
    await write(budget, plan.status, signal)
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs }
  }

  /** The version counts: an eviction that was granted meanwhile must not be overwritten. */
  async function write(budget: Live<PodDisruptionBudget>, status: object, signal: AbortSignal): Promise<void> {
    if (semanticEqual(budget.status, status)) return
    try {
      await api.update(podDisruptionBudgets, { ...budget, status }, { subresource: 'status', signal })
    } catch (error) {
      // The change that stood in the way brings the budget back.
      if (!isConflict(error)) throw error
      queue.addRateLimited(keyOf(budget))
    }
  }

  return { name: 'disruption', workers: 1, queue, reconcile }
}

/** An empty selector selects all pods, none selects none. Each is asked about every pod of its namespace that changes. */
const matcherOf = remembered(
  ({ spec }: Live<PodDisruptionBudget>): LabelMatcher =>
    spec?.selector ? labelSelectorMatcher(spec.selector) : () => false,
)
