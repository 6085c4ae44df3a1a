import { type RevisionState, revisionStateLabel } from '../../api/gantry/rollout.ts'
import {
  parseRolloutSteps,
  type RolloutStep,
  rolloutStepsAnnotation,
  stepsPassedLabel,
} from '../../api/gantry/rollout-steps.ts'
import type { Deployment, ReplicaSet } from '../../api/generated/types.ts'
import { getScaledValue } from '../../api/machinery/int-or-string.ts'
import type { Live } from '../../client/types.ts'
import { type Draft, totalReplicas, totalStatus } from './draft.ts'

/** Where a rollout stops, and with how many new pods. */
export interface Hold {
  /** Which step it is, from 0. */
  index: number
  step: RolloutStep
  replicas: number
}

/** The step of `gantry.dev/rollout-steps` at which a rollout to this set is to stop next; undefined: at none. */
export function nextHold(deployment: Live<Deployment>, set: Live<ReplicaSet> | undefined): Hold | undefined {
  const text = deployment.metadata.annotations?.[rolloutStepsAnnotation]
  if (text === undefined) return undefined
  const labels = set?.metadata.labels ?? {}
  // What was available once has passed them, or is what a rollout has gone back to.
  const state = labels[revisionStateLabel] as RevisionState | undefined
  if (state === 'available' || state === 'settled') return undefined
  const index = Number(labels[stepsPassedLabel] ?? 0)
  const step = parseRolloutSteps(text, '').steps[index]
  if (!step) return undefined
  const desired = deployment.spec?.replicas ?? 1
  return { index, step, replicas: Math.min(desired, Math.max(1, getScaledValue(step.hold, desired, true))) }
}

/** How many pods the new set may have for now; undefined: as many as there are to be. Without old pods nothing is held. */
export function heldAt(deployment: Live<Deployment>, fresh: Draft, old: readonly Draft[]): number | undefined {
  if (totalReplicas(old) === 0 && totalStatus(old, 'replicas') === 0) return undefined
  return nextHold(deployment, fresh.exists ? fresh.set : undefined)?.replicas
}
