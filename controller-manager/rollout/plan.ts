import { type RevisionState, revisionStateLabel } from '../../api/gantry/rollout.ts'
import type { Deployment, Pod, ReplicaSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { findCondition } from '../deployment/conditions.ts'
import { revisionOf } from '../deployment/history.ts'
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
  reason: 'ProgressDeadlineExceeded' | 'CrashLoop' | 'FailedBefore'
  message: string
}

export type RolloutPlan =
  | { do: 'nothing'; requeueAfterMs?: number }
  /** Writes down how the present revision fares. */
  | { do: 'mark'; set: Live<ReplicaSet>; state: RevisionState }
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
  if (failure) {
    const to = lastAvailable(old.map((draft) => draft.set))
    return to ? { do: 'rollback', from: set, to, failure } : { do: 'complain', failure }
  }
  return progress(world, set)
}

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

const lastAvailable = (sets: readonly Live<ReplicaSet>[]): Live<ReplicaSet> | undefined =>
  sets
    .filter((set) => ['available', 'settled'].includes(stateOf(set) ?? ''))
    .reduce<Live<ReplicaSet> | undefined>(
      (last, set) => (last && numberOf(last) >= numberOf(set) ? last : set),
      undefined,
    )

const numberOf = ({ metadata }: Live<ReplicaSet>): bigint => revisionOf(metadata.annotations) ?? 0n

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
