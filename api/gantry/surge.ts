import type { ObjectMeta } from '../generated/types.ts'
import { parseTime } from '../machinery/time.ts'

/** On a workload or its pods, `true`: a pod is evicted only when another is ready in its place. */
export const surgeOnDrainAnnotation = 'gantry.dev/surge-on-drain'
/** On a pod whose eviction was asked for and awaits its replacement: when that was asked for last. */
export const evictionRequestedAnnotation = 'gantry.dev/eviction-requested'

/** Whoever still wants an eviction asks again sooner: `kubectl drain` does every five seconds. */
const patienceMs = 5 * 60_000

/** When the pod's eviction was asked for last, in milliseconds since 1970; undefined: never. */
export function evictionRequestedMs({ annotations }: ObjectMeta): number | undefined {
  const asked = annotations?.[evictionRequestedAnnotation]
  return asked === undefined ? undefined : parseTime(asked)
}

/** Milliseconds for which the pod is still to have a replacement; 0 if nobody wants to evict it, or no more. */
export function replacementDueMs(metadata: ObjectMeta, nowMs: number): number {
  const asked = evictionRequestedMs(metadata)
  return asked === undefined ? 0 : Math.max(0, asked + patienceMs - nowMs)
}
