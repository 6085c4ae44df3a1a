import type { DaemonSet, Deployment, StatefulSet } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { Health } from './pods.ts'

/** How far a workload is from what it is to be. */
export interface Rollout {
  desired: number
  /** Pods of the newest revision. */
  updated: number
  ready: number
  /** Pods of older revisions that are still there. */
  old: number
  /** Pods of the newest revision of which all that is known says that they are ready. */
  updatedReady: number
  health: Health
  /** In a few words. */
  state: string
}

/** How a deployment stands, by its status alone. */
export function deploymentRollout({ metadata, spec, status = {} }: Stored<Deployment>): Rollout {
  const desired = spec?.replicas ?? 1
  const { replicas = 0, updatedReplicas: updated = 0, readyReplicas: ready = 0 } = status
  const progressing = status.conditions?.find(({ type }) => type === 'Progressing')
  return judged({
    desired,
    updated,
    ready,
    old: Math.max(0, replicas - updated),
    seen: (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    paused: spec?.paused === true,
    stuck: progressing?.reason === 'ProgressDeadlineExceeded',
  })
}

/** The same of a stateful set. */
export function statefulSetRollout({ metadata, spec, status }: Stored<StatefulSet>): Rollout {
  const desired = spec?.replicas ?? 1
  const replicas = status?.replicas ?? 0
  const rolled = status?.currentRevision === status?.updateRevision
  const updated = rolled ? replicas : (status?.updatedReplicas ?? 0)
  return judged({
    desired,
    updated,
    ready: status?.readyReplicas ?? 0,
    old: Math.max(0, replicas - updated),
    seen: (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    paused: false,
    stuck: false,
  })
}

/** The same of a daemon set, which wants a pod on each node it is meant for. */
export function daemonSetRollout({ metadata, status }: Stored<DaemonSet>): Rollout {
  const updated = status?.updatedNumberScheduled ?? 0
  return judged({
    desired: status?.desiredNumberScheduled ?? 0,
    updated,
    ready: status?.numberReady ?? 0,
    old: Math.max(0, (status?.currentNumberScheduled ?? 0) - updated),
    seen: (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    paused: false,
    stuck: false,
  })
}

interface Counts {
  desired: number
  updated: number
  ready: number
  old: number
  /** The controller has seen what is wanted now. */
  seen: boolean
  paused: boolean
  stuck: boolean
}

function judged({ desired, updated, ready, old, seen, paused, stuck }: Counts): Rollout {
  const counts = { desired, updated, ready, old, updatedReady: Math.max(0, Math.min(updated, ready - old)) }
  const as = (health: Health, state: string): Rollout => ({ ...counts, health, state })
  if (stuck) return as('bad', 'Does not get on')
  if (paused) return as('busy', 'Paused')
  if (!seen) return as('busy', 'About to change')
  if (old > 0 || updated < desired) return as('busy', `Rolling out, ${Math.min(updated, desired)} of ${desired}`)
  if (updated > desired) return as('busy', 'Scaling down')
  if (desired === 0) return as('over', 'Scaled to zero')
  if (ready < desired) return as(ready === 0 ? 'bad' : 'busy', `${ready} of ${desired} ready`)
  return as('good', 'As wanted')
}
