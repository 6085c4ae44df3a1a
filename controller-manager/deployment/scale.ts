import type { Deployment, DeploymentSpec } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { annotationNames } from './annotations.ts'
import { availableOf, byAge, type Draft, resized, totalReplicas } from './draft.ts'
import { isRolling, maxSurge } from './sizes.ts'

/** Whether the deployment's size has changed since its active sets got theirs. */
export const sizeChanged = (spec: DeploymentSpec, drafts: readonly Draft[]): boolean =>
  drafts.some(({ replicas, annotations }) => {
    const desired = countIn(annotations, annotationNames.desiredReplicas)
    return replicas > 0 && desired !== undefined && desired !== (spec.replicas ?? 1)
  })

/**
 * Brings the sets to the deployment's size without rolling out. One active set gets all; in the middle of a rollout each gets
 * its share, so that the risk stays spread as it was.
 */
export function planScale(
  deployment: Live<Deployment>,
  fresh: Draft | undefined,
  old: readonly Draft[],
): { fresh: Draft | undefined; old: readonly Draft[] } {
  const spec = deployment.spec as DeploymentSpec
  const desired = spec.replicas ?? 1
  const all = fresh ? [...old, fresh] : [...old]
  const active = all.filter(({ replicas }) => replicas > 0)
  const apply = (change: (draft: Draft) => Draft) => ({ fresh: fresh && change(fresh), old: old.map(change) })
  if (active.length <= 1) {
    const only = active[0] ?? fresh ?? [...old].sort(byAge).at(-1)
    return apply((draft) => (draft === only ? resized(draft, desired, spec, true) : draft))
  }
  if (fresh && isSaturated(fresh, desired)) {
    return apply((draft) => (draft === fresh ? draft : resized(draft, 0, spec)))
  }
  if (!isRolling(spec)) return { fresh, old }
  const shares = proportionalShares(deployment, active)
  return apply((draft) => {
    const share = shares.get(draft)
    return share === undefined ? draft : resized(draft, share, spec, true)
  })
}

/** The new set has all replicas, all are available, and it knows of the deployment's present size. */
const isSaturated = (draft: Draft, desired: number): boolean =>
  draft.replicas === desired &&
  countIn(draft.annotations, annotationNames.desiredReplicas) === desired &&
  availableOf(draft) === desired

/** Each set grows or shrinks as the whole does; what rounding leaves over goes to the largest, and to the next what that one has not. */
function proportionalShares(deployment: Live<Deployment>, active: readonly Draft[]): Map<Draft, number> {
  const spec = deployment.spec as DeploymentSpec
  const desired = spec.replicas ?? 1
  const allowed = desired > 0 ? desired + maxSurge(spec) : 0
  const toAdd = allowed - totalReplicas(active)
  // Among equals the newer grow first, and the older shrink first.
  const order = [...active].sort((a, b) => b.replicas - a.replicas || (toAdd > 0 ? byAge(b, a) : byAge(a, b)))
  const shares = new Map<Draft, number>()
  let added = 0
  for (const draft of order) {
    const part = toAdd === added ? 0 : ownShare(deployment, draft) - draft.replicas
    const change = toAdd > 0 ? Math.min(part, toAdd - added) : toAdd < 0 ? Math.max(part, toAdd - added) : 0
    shares.set(draft, draft.replicas + change)
    added += change
  }
  let left = toAdd - added
  for (const draft of order) {
    const share = shares.get(draft) ?? 0
    const rest = Math.max(-share, left)
    shares.set(draft, share + rest)
    left -= rest
  }
  return shares
}

/** The size a set would have if it kept its part of the whole. */
function ownShare({ spec = { selector: {}, template: {} }, status }: Live<Deployment>, draft: Draft): number {
  const desired = spec.replicas ?? 1
  if (desired === 0) return 0
  const before = countIn(draft.annotations, annotationNames.maxReplicas) || (status?.replicas ?? 0)
  if (before === 0) return draft.replicas
  return roundHalfAway((draft.replicas * (desired + maxSurge(spec))) / before)
}

const roundHalfAway = (value: number): number => (value < 0 ? Math.ceil(value - 0.5) : Math.floor(value + 0.5))

function countIn(annotations: Readonly<Record<string, string>>, name: string): number | undefined {
  const text = annotations[name]
  if (text === undefined || !/^\d+$/.test(text)) return undefined
  const count = Number(text)
  return count < 2 ** 31 ? count : undefined
}
