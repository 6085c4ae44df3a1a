import type { DeploymentSpec } from '../../api/generated/types.ts'
import { byAge, type Draft, availableOf as reportedAvailable, resized, totalReplicas } from './draft.ts'
import { maxUnavailable, newSetReplicas } from './sizes.ts'

export interface Sets {
  fresh: Draft
  old: readonly Draft[]
}

/** One step of a rolling update: first up with the new set as far as the surge allows, else down with the old ones. */
export function planRolling(spec: DeploymentSpec, { fresh, old }: Sets): Sets {
  const grown = sizeNewSet(spec, fresh, old)
  if (grown.replicas !== fresh.replicas) return { fresh: grown, old }
  return { fresh, old: shrinkOldSets(spec, fresh, old) }
}

function sizeNewSet(spec: DeploymentSpec, fresh: Draft, old: readonly Draft[]): Draft {
  const desired = spec.replicas ?? 1
  if (fresh.replicas >= desired) return resized(fresh, desired, spec)
  return resized(fresh, newSetReplicas(spec, totalReplicas([fresh, ...old]), fresh.replicas), spec)
}

/**
 * Takes away from the old sets what may go. Pods of the new set that are not available yet count as if they were missing: a
 * template that never becomes ready must not cost any more of the old pods.
 */
function shrinkOldSets(spec: DeploymentSpec, fresh: Draft, old: readonly Draft[]): readonly Draft[] {
  if (totalReplicas(old) === 0) return old
  const minAvailable = (spec.replicas ?? 1) - maxUnavailable(spec)
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
