import type { DeploymentSpec } from '../../api/generated/types.ts'
import { byAge, type Draft, availableOf as reportedAvailable, resized, totalReplicas } from './draft.ts'
import { maxUnavailable, newSetReplicas } from './sizes.ts'

export interface Sets {
  fresh: Draft
  old: readonly Draft[]
}

/**
 * One step of a rolling update: first up with the new set as far as the surge allows, else down with the old ones. With `hold`
 * the new set gets no more pods than that for now, and the old ones keep what it does not have.
 */
export function planRolling(spec: DeploymentSpec, { fresh, old }: Sets, hold?: number): Sets {
  const grown = sizeNewSet(spec, fresh, old, hold)
  if (grown.replicas !== fresh.replicas) return { fresh: grown, old }
  return { fresh, old: shrinkOldSets(spec, fresh, old, hold) }
}

function sizeNewSet(spec: DeploymentSpec, fresh: Draft, old: readonly Draft[], hold: number | undefined): Draft {
  const desired = spec.replicas ?? 1
  if (fresh.replicas >= desired && hold === undefined) return resized(fresh, desired, spec)
  const wanted = newSetReplicas(spec, totalReplicas([fresh, ...old]), fresh.replicas)
  if (hold === undefined) return resized(fresh, wanted, spec)
  // A hold that was moved down takes no pods away.
  const most = fresh.exists ? Math.max(hold, Math.min(fresh.replicas, desired)) : hold
  return resized(fresh, Math.min(wanted, most), spec)
}

/**
 * Takes away from the old sets what may go. Pods of the new set that are not available yet count as if they were missing: a
 * template that never becomes ready must not cost any more of the old pods.
 */
function shrinkOldSets(
  spec: DeploymentSpec,
  fresh: Draft,
  old: readonly Draft[],
  hold: number | undefined,
): readonly Draft[] {
  if (totalReplicas(old) === 0) return old
  const desired = spec.replicas ?? 1
  // A hold may last: it costs none of the pods that are to serve meanwhile.
  const kept = hold === undefined ? 0 : desired - hold + availableOf(fresh)
  const minAvailable = Math.max(kept, desired - maxUnavailable(spec))
  const notAvailable = fresh.replicas - availableOf(fresh)
  const mayGo = totalReplicas([fresh, ...old]) - minAvailable - notAvailable
  if (mayGo <= 0) return old
  const healthy = dropUnhealthy(spec, old, mayGo)
  return dropAvailable(spec, fresh, healthy, minAvailable)
}

/**
 * Never more than the set is to have: its status may tell of pods that go already. Upstream believes the status, and then may
 * take away more than it is allowed to.
 */
const availableOf = (draft: Draft): number => Math.min(draft.replicas, reportedAvailable(draft))

/** Pods that are not available serve nobody: they go first. A replica set deletes such ones before others. */
function dropUnhealthy(spec: DeploymentSpec, old: readonly Draft[], mayGo: number): readonly Draft[] {
  let left = mayGo
  return [...old].sort(byAge).map((draft) => {
    const count = Math.min(left, draft.replicas - availableOf(draft))
    if (count <= 0) return draft
    left -= count
    return resized(draft, draft.replicas - count, spec)
  })
}

function dropAvailable(spec: DeploymentSpec, fresh: Draft, old: readonly Draft[], minAvailable: number) {
  const available = [fresh, ...old].reduce((total, draft) => total + availableOf(draft), 0)
  let left = available - minAvailable
  return [...old].sort(byAge).map((draft) => {
    const count = Math.min(left, draft.replicas)
    if (count <= 0) return draft
    left -= count
    return resized(draft, draft.replicas - count, spec)
  })
}
