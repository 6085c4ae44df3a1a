import type { Job, JobSpec, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { isActive, isReady, isTerminating } from '../pods/condition.ts'
import { failuresBefore, indexOf, parseIndexes } from './completion-index.ts'
import { judgeFailure } from './policies.ts'

/** Holds a pod until its end has been counted. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'

export const isTracked = ({ metadata }: Live<Pod>): boolean => metadata.finalizers?.includes(trackingFinalizer) === true
export const isIndexed = ({ spec }: Live<Job>): boolean => spec?.completionMode === 'Indexed'
export const specOf = ({ spec }: Live<Job>): JobSpec => spec as JobSpec

/** Whether pods are replaced only when they have ended, and not as soon as they are being deleted. */
export const replacesOnlyFailed = ({ spec }: Live<Job>): boolean =>
  spec?.podReplacementPolicy === 'Failed' || spec?.podFailurePolicy !== undefined

/** It failed, or is being deleted before it could succeed. */
export const hasFailed = (job: Live<Job>, { metadata, status }: Live<Pod>): boolean =>
  status?.phase === 'Failed' ||
  (!replacesOnlyFailed(job) && metadata.deletionTimestamp !== undefined && status?.phase !== 'Succeeded')

/** What a job's pods and its status together say. */
export interface Tally {
  active: Live<Pod>[]
  ready: number
  terminating: number
  /** With those that wait to be counted. */
  succeeded: number
  failed: number
  /** Of an indexed job. */
  succeededIndexes: Set<number>
  /** Of an indexed job with a limit for each index. */
  failedIndexes: Set<number> | undefined
  /** Failed pods by index that wait for the pod that replaces them: it takes over their count of failures. */
  replaceable: Map<number, Live<Pod>>
}

export function tally(job: Live<Job>, pods: readonly Live<Pod>[]): Tally {
  const spec = specOf(job)
  const { status = {} } = job
  const indexed = isIndexed(job)
  const completions = spec.completions ?? 0
  const waiting = new Set([
    ...(status.uncountedTerminatedPods?.succeeded ?? []),
    ...(status.uncountedTerminatedPods?.failed ?? []),
  ])
  const valid = pods.filter((pod) => isTracked(pod) && (!indexed || isValidIndex(pod, completions)))
  const fresh = valid.filter(({ metadata }) => !waiting.has(metadata.uid ?? ''))
  const newlyFailed = fresh.filter((pod) => hasFailed(job, pod) && judgeFailure(job, pod).counts)
  const newlySucceeded = fresh.filter((pod) => pod.status?.phase === 'Succeeded')
  const succeededIndexes = parseIndexes(status.completedIndexes, completions)
  const active = pods.filter(isActive)
  let failedIndexes: Set<number> | undefined
  const replaceable = new Map<number, Live<Pod>>()
  if (indexed) {
    for (const pod of valid) if (pod.status?.phase === 'Succeeded') succeededIndexes.add(indexOf(pod) as number)
    if (spec.backoffLimitPerIndex !== undefined) {
      failedIndexes = parseIndexes(status.failedIndexes, completions)
      for (const pod of valid) if (failsItsIndex(job, pod)) failedIndexes.add(indexOf(pod) as number)
      const busy = new Set(active.map(indexOf))
      for (const pod of valid.filter((one) => hasFailed(job, one))) {
        const index = indexOf(pod) as number
        if (succeededIndexes.has(index) || failedIndexes.has(index) || busy.has(index)) continue
        const other = replaceable.get(index)
        if (!other || allFailures(other) <= allFailures(pod)) replaceable.set(index, pod)
      }
    }
  }
  return {
    active,
    ready: active.filter(isReady).length,
    terminating: pods.filter(isTerminating).length,
    succeeded: indexed
      ? succeededIndexes.size
      : (status.succeeded ?? 0) + newlySucceeded.length + (status.uncountedTerminatedPods?.succeeded ?? []).length,
    failed: (status.failed ?? 0) + newlyFailed.length + (status.uncountedTerminatedPods?.failed ?? []).length,
    succeededIndexes,
    failedIndexes,
    replaceable,
  }
}

export const isValidIndex = (pod: Live<Pod>, completions: number): boolean =>
  (indexOf(pod) ?? completions) < completions

/** All failures of the index up to this pod's own. */
export function allFailures(pod: Live<Pod>): number {
  const { counted, ignored } = failuresBefore(pod)
  return counted + ignored
}

function failsItsIndex(job: Live<Job>, pod: Live<Pod>): boolean {
  if (!hasFailed(job, pod)) return false
  const { counts, failsIndex } = judgeFailure(job, pod)
  return failsIndex || (counts && failuresBefore(pod).counted >= (specOf(job).backoffLimitPerIndex ?? 0))
}
