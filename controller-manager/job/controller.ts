import { hasJobCondition } from '../../api/batch/job-status.ts'
import type { Job, JobSpec, Pod } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import { labelSelectorMatcher } from '../../api/machinery/labels.ts'
import type { Controller } from '../../client/controller.ts'
import { isNamespaceTerminating, isNotFound } from '../../client/errors.ts'
import { splitKey } from '../../client/key.ts'
import { jobs as jobResource, pods as podResource } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { isReady } from '../pods/condition.ts'
import { createPod, deletePod, podFromTemplate } from '../pods/control.ts'
import { Expectations } from '../pods/expectations.ts'
import { OwnWrites } from '../pods/own-writes.ts'
import { claim, controllerOf, type Owner } from '../pods/ownership.ts'
import { orphanPods, podInformer, podsOf } from '../pods/pod-index.ts'
import { slowStart } from '../pods/slow-start.ts'
import { watchOwnedPods } from '../pods/watch-owned.ts'
import type { ControllerDeps } from '../types.ts'
import {
  failuresAnnotation,
  failuresBefore,
  ignoredFailuresAnnotation,
  prefixForIndex,
  templateForIndex,
} from './completion-index.ts'
import { isReached, planJob, reached } from './plan.ts'
import { judgeFailure } from './policies.ts'
import { jobStatus } from './status.ts'
import { isTracked, specOf, type Tally, tally, trackingFinalizer } from './tally.ts'

/** How long to wait, at most, for a cache that does not show what was written. */
const lateCacheMs = 61_000

export const isFinished = (job: Live<Job>): boolean =>
  hasJobCondition(job, 'Complete') || hasJobCondition(job, 'Failed')

/** Runs each Job's pods until enough have succeeded or too many have failed. */
export function newJobController(deps: ControllerDeps): Controller {
  const { api, events, clock, informers } = deps
  const queue = new WorkQueue({ clock, name: 'job' })
  const expectations = new Expectations(clock)
  const writes = new OwnWrites(clock)
  const jobs = informers.for<Job>(jobResource)
  const pods = podInformer(informers)
  watchOwnedPods<Job>({
    kind: 'Job',
    owners: jobs,
    pods,
    queue,
    selects: ({ spec }, labels) => spec?.selector !== undefined && labelSelectorMatcher(spec.selector)(labels),
    created: (key, pod) => expectations.creationSeen(key, pod.metadata.uid ?? ''),
    gone: (key, pod) => expectations.deletionSeen(key, pod.metadata.uid ?? ''),
  })

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key)
    const job = jobs.lister.get(namespace, name)
    if (!job?.spec?.selector || isFinished(job)) {
      expectations.forget(key)
      writes.forget(key)
      // Nobody else would let them go.
      const left = pods.lister.list(namespace).filter((pod) => {
        const controller = controllerOf(pod)
        return controller?.kind === 'Job' && controller.name === name && isTracked(pod)
      })
      await Promise.all(left.map((pod) => letGo(pod, signal)))
      return undefined
    }
    const { managedBy } = job.spec
    if (managedBy !== undefined && managedBy !== 'kubernetes.io/job-controller') return undefined
    if (!writes.seen(key, () => job.metadata.resourceVersion)) return { requeueAfterMs: lateCacheMs }
    const settled = expectations.satisfied(key)
    const owner: Owner = { apiVersion: 'batch/v1', kind: 'Job', metadata: job.metadata }
    const own = await claim({
      api,
      owner,
      ownerRef: jobResource,
      matches: labelSelectorMatcher(job.spec.selector),
      candidates: [...podsOf(pods, job.metadata.uid), ...orphanPods(pods, namespace)],
      candidateRef: podResource,
      finalizer: trackingFinalizer,
      signal,
    })
    // Adopted just now: its end must be counted as well.
    await Promise.all(own.filter((pod) => !controllerOf(pod) && !isTracked(pod)).map((pod) => track(pod, signal)))
    const nowMs = clock.now()
    const world = { job, pods: own, settled, nowMs }
    const counts = tally(job, own)
    const plan = planJob(world, counts)
    const deleted = await removePods(key, owner, plan.delete, plan.verdict?.target !== 'FailureTarget', signal)
    const created = await createPods(key, owner, job, counts, plan.create, signal)
    const failure = deleted.failure ?? created.failure
    const active = counts.active.length - deleted.pods.length + created.count
    const managed = settled && job.metadata.deletionTimestamp === undefined
    const over = deleted.pods.length === plan.delete.length && settled
    const verdict = plan.verdict
      ? over
        ? plan.verdict
        : undefined
      : isReached(job, counts, active)
        ? reached
        : undefined
    const outcome = jobStatus({
      job,
      pods: own,
      counts,
      verdict,
      active,
      ready: counts.ready - deleted.pods.filter(isReady).length,
      terminating: counts.terminating + deleted.pods.length,
      managed: managed && plan.verdict === undefined,
      nowMs,
    })
    if (!semanticEqual(job.status, outcome.status)) {
      const object = { ...job, status: outcome.status }
      const updated = await api.update<Job>(jobResource, object, { subresource: 'status', signal })
      writes.wrote(key, key, updated.metadata.resourceVersion)
    }
    for (const { type, reason, message } of outcome.events) events.event(owner, type, reason, message)
    await Promise.all(outcome.release.map((pod) => letGo(pod, signal)))
    if (failure !== undefined) throw failure
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs }
  }

  /** What is merely too many has not failed: `uncounted` pods are let go before they are deleted. */
  async function removePods(
    key: string,
    owner: Owner,
    leaving: readonly Live<Pod>[],
    uncounted: boolean,
    signal: AbortSignal,
  ): Promise<{ pods: Live<Pod>[]; failure: unknown }> {
    const uids = leaving.map(({ metadata }) => metadata.uid ?? '')
    expectations.deleting(key, uids)
    const results = await Promise.allSettled(
      leaving.map(async (pod) => {
        let deleted = false
        try {
          if (uncounted && isTracked(pod)) await letGo(pod, signal)
          deleted = await deletePod({ api, events, signal }, owner, pod)
        } finally {
          if (!deleted) expectations.deletionSeen(key, pod.metadata.uid ?? '')
        }
      }),
    )
    return {
      pods: leaving.filter((_, i) => results[i]?.status === 'fulfilled'),
      failure: results.find((result) => result.status === 'rejected')?.reason,
    }
  }

  async function createPods(
    key: string,
    owner: Owner,
    job: Live<Job>,
    counts: Tally,
    wanted: readonly (number | undefined)[],
    signal: AbortSignal,
  ): Promise<{ count: number; failure: unknown }> {
    const left = [...wanted]
    const creating = expectations.creating(key)
    try {
      const { successes, error } = await slowStart(wanted.length, async () => {
        const pod = podForJob(job, owner, counts, left.shift())
        const created = await createPod({ api, events, signal }, owner, pod)
        creating.created(created.uid ?? '')
      })
      return { count: successes, failure: isNamespaceTerminating(error) ? undefined : error }
    } finally {
      creating.close()
    }
  }

  /** The version in the patch makes sure that nobody else's finalizer is touched. */
  async function letGo(pod: Live<Pod>, signal: AbortSignal): Promise<void> {
    await setFinalizers(
      pod,
      (pod.metadata.finalizers ?? []).filter((one) => one !== trackingFinalizer),
      signal,
    )
  }

  async function track(pod: Live<Pod>, signal: AbortSignal): Promise<void> {
    const fresh = await api.get<Pod>(podResource, pod.metadata, { signal })
    await setFinalizers(fresh, [...(fresh.metadata.finalizers ?? []), trackingFinalizer], signal)
  }

  async function setFinalizers({ metadata }: Live<Pod>, finalizers: string[], signal: AbortSignal): Promise<void> {
    const { uid, resourceVersion } = metadata
    const body = { metadata: { uid, resourceVersion, finalizers } }
    try {
      await api.patch<Pod>(podResource, metadata, { type: 'merge', body }, { signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  return { name: 'job', workers: deps.options.workers.job ?? 5, queue, reconcile }
}

function podForJob(job: Live<Job>, owner: Owner, counts: Tally, index: number | undefined): Pod {
  const { backoffLimitPerIndex, template } = specOf(job) as JobSpec
  const name = job.metadata.name
  let pod: Pod
  if (index === undefined) pod = podFromTemplate(owner, template)
  else {
    const failed = backoffLimitPerIndex === undefined ? undefined : failureCounts(job, counts.replaceable.get(index))
    pod = podFromTemplate(owner, templateForIndex(name, template, index, failed ?? {}))
    pod.metadata = { ...pod.metadata, generateName: prefixForIndex(name, index) }
  }
  const finalizers = new Set([...(pod.metadata?.finalizers ?? []), trackingFinalizer])
  return { ...pod, metadata: { ...pod.metadata, finalizers: [...finalizers] } }
}

/** The failures of the index so far, with that of the pod that is replaced. */
function failureCounts(job: Live<Job>, replaced: Live<Pod> | undefined): Record<string, string> {
  let { counted, ignored } = replaced ? failuresBefore(replaced) : { counted: 0, ignored: 0 }
  if (replaced && judgeFailure(job, replaced).counts) counted++
  else if (replaced) ignored++
  return {
    [failuresAnnotation]: String(counted),
    ...(ignored > 0 ? { [ignoredFailuresAnnotation]: String(ignored) } : {}),
  }
}
