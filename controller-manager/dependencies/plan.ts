import {
  type Dependency,
  dependenciesCondition,
  dependenciesGate,
  dependencyId,
  dependsOnAnnotation,
  parseDependencies,
} from '../../api/gantry/depends-on.ts'
import type { Pod, PodCondition } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'

/** What to write about a pod that is held back. */
export interface GatePlan {
  /** Undefined: it says so already. */
  condition: PodCondition | undefined
  /** Whether the gate goes: all is ready. */
  open: boolean
}

/** Whether the pod is held back by the gate of dependencies, and may still start. */
export const isHeld = ({ metadata, spec }: Live<Pod>): boolean =>
  metadata.deletionTimestamp === undefined &&
  (spec?.schedulingGates?.some(({ name }) => name === dependenciesGate) ?? false)

/** What the pod depends on. Without the annotation it was held back for nothing. */
export const dependenciesOf = ({ metadata }: Live<Pod>): Dependency[] =>
  parseDependencies(metadata.annotations?.[dependsOnAnnotation] ?? '').dependencies

/** Decides about a held pod; `whyNot` tells why a dependency is not ready, undefined if it is. */
export function planGate(
  pod: Live<Pod>,
  whyNot: (dependency: Dependency) => string | undefined,
  nowMs: number,
): GatePlan {
  const waits = dependenciesOf(pod).flatMap((dependency) => {
    const why = whyNot(dependency)
    return why === undefined ? [] : [`${dependencyId(dependency)} (${why})`]
  })
  const open = waits.length === 0
  const wanted = open
    ? { status: 'True', reason: 'DependenciesReady', message: '' }
    : { status: 'False', reason: 'WaitingForDependencies', message: `waiting for ${waits.join(', ')}` }
  const standing = pod.status?.conditions?.find(({ type }) => type === dependenciesCondition)
  if (standing?.status === wanted.status && (standing.message ?? '') === wanted.message) {
    return { condition: undefined, open }
  }
  const since = standing?.status === wanted.status ? standing.lastTransitionTime : undefined
  return {
    condition: { type: dependenciesCondition, ...wanted, lastTransitionTime: since ?? formatTime(nowMs) },
    open,
  }
}
