import { type RevisionState, revisionStateLabel } from '../../api/gantry/rollout.ts'
import type { Deployment, Pod, ReplicaSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { findCondition } from '../deployment/conditions.ts'
import { totalReplicas } from '../deployment/draft.ts'
import { revisionOf } from '../deployment/history.ts'
import { type Hold, nextHold } from '../deployment/hold.ts'
import { splitSets } from '../deployment/new-set.ts'
import { isComplete } from '../deployment/progress.ts'
import { readySinceMs } from '../pods/condition.ts'
import { crashLoop } from './crash-loop.ts'

/** A revision that was completely available for so long is not to blame for what comes after. */
const settleMs = 60_000

export interface World {
  deployment: Live<Deployment>
  /** The replica sets it owns. */
  sets: readonly Live<ReplicaSet>[]
  podsOf(set: Live<ReplicaSet>): readonly Live<Pod>[]
  nowMs: number
}

export interface Failure {
  reason: 'ProgressDeadlineExceeded' | 'CrashLoop' | 'StepFailed' | 'FailedBefore'
  message: string
}

export type RolloutPlan =
  | { do: 'nothing'; requeueAfterMs?: number }
  /** Writes down how the present revision fares. */
  | { do: 'mark'; set: Live<ReplicaSet>; state: RevisionState }
  /** Asks whether the rollout may go on from where it is held. `to` is where it goes back to if not. */
  | { do: 'analyse'; set: Live<ReplicaSet>; hold: Hold; to: Live<ReplicaSet> | undefined }
  | { do: 'rollback'; from: Live<ReplicaSet>; to: Live<ReplicaSet>; failure: Failure }
  /** It failed, and no revision was ever available. */
  | { do: 'complain'; failure: Failure }

const nothing: RolloutPlan = { do: 'nothing' }

/** What is to be done about a rollout that minds itself. */
export function planRollout(world: World): RolloutPlan {
  const { deployment, sets } = world
  const { metadata, spec, status } = deployment
  if (metadata.deletionTimestamp !== undefined || spec?.paused) return nothing
  // What the status tells must be about this very template.
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return nothing
  const { fresh, old } = splitSets(deployment, sets)
  if (!fresh) return nothing
  const { set } = fresh
  const failure = failureOf(world, set)
  const to = lastAvailable(old.map((draft) => draft.set))
  if (failure) return goBack(set, to, failure)
  const hold = nextHold(deployment, set)
  // The first rollout of all has nothing to be compared with.
  if (hold && (to || totalReplicas(old) > 0)) {
    const arrived = (set.status?.availableReplicas ?? 0) >= hold.replicas && hold.replicas > 0
    return arrived ? { do: 'analyse', set, hold, to } : nothing
  }
  return progress(world, set)
}

/** Back to a revision that was available, if there is one. */
export const goBack = (from: Live<ReplicaSet>, to: Live<ReplicaSet> | undefined, failure: Failure): RolloutPlan =>
  to ? { do: 'rollback', from, to, failure } : { do: 'complain', failure }

/** How the revision of a set has fared so far; undefined: it never was completely available. */
export const stateOf = ({ metadata }: Live<ReplicaSet>): RevisionState | undefined =>
  metadata.labels?.[revisionStateLabel] as RevisionState | undefined

function failureOf({ deployment, podsOf }: World, set: Live<ReplicaSet>): Failure | undefined {
  const state = stateOf(set)
  if (state === 'settled') return undefined
  if (state === 'failed') {
    return { reason: 'FailedBefore', message: 'it has failed before, and its template is still the same' }
  }
  for (const pod of podsOf(set)) {
    const message = crashLoop(pod)
    if (message !== undefined) return { reason: 'CrashLoop', message }
  }
  // Once available, the deadline has been met; after a rollback the condition still tells of the other revision.
  if (state !== undefined) return undefined
  const progressing = findCondition(deployment.status?.conditions ?? [], 'Progressing')
  return progressing?.reason === 'ProgressDeadlineExceeded'
    ? { reason: progressing.reason, message: progressing.message ?? '' }
    : undefined
}

/** The newest that is marked; if none is, because nobody minded it until now, the newest that still serves. */
function lastAvailable(sets: readonly Live<ReplicaSet>[]): Live<ReplicaSet> | undefined {
  const newestFirst = [...sets].sort(byRevision).reverse()
  return (
    newestFirst.find((set) => ['available', 'settled'].includes(stateOf(set) ?? '')) ??
    newestFirst.find((set) => stateOf(set) === undefined && (set.status?.availableReplicas ?? 0) > 0)
  )
}

function byRevision(a: Live<ReplicaSet>, b: Live<ReplicaSet>): number {
  const [one, other] = [revisionOf(a.metadata.annotations) ?? 0n, revisionOf(b.metadata.annotations) ?? 0n]
  return one < other ? -1 : one > other ? 1 : 0
}

function progress({ deployment, podsOf, nowMs }: World, set: Live<ReplicaSet>): RolloutPlan {
  const state = stateOf(set)
  const wanted = deployment.spec?.replicas ?? 1
  if (state === 'settled' || wanted === 0 || !isComplete(deployment, deployment.status ?? {})) return nothing
  if (state === undefined) return { do: 'mark', set, state: 'available' }
  const since = podsOf(set).flatMap((pod) => readySinceMs(pod) ?? [])
  if (since.length < wanted) return nothing
  const left = Math.max(...since) + settleMs - nowMs
  return left > 0 ? { do: 'nothing', requeueAfterMs: left } : { do: 'mark', set, state: 'settled' }
}
