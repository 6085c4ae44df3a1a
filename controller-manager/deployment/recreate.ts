import type { DeploymentSpec, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { isTerminal } from '../pods/condition.ts'
import { type Draft, resized, totalReplicas, totalStatus } from './draft.ts'

/** The old sets without any pods; the same list if none has any. */
export const emptied = (spec: DeploymentSpec, old: readonly Draft[]): readonly Draft[] =>
  totalReplicas(old) === 0 ? old : old.map((draft) => resized(draft, 0, spec))

/**
 * Whether pods of the old sets may still run. Those being deleted count: only when the last is gone may the first of the new
 * ones start.
 */
export const oldPodsRun = (old: readonly Draft[], podsOf: (set: Draft['set']) => readonly Live<Pod>[]): boolean =>
  totalStatus(old, 'replicas') > 0 || old.some(({ set }) => podsOf(set).some((pod) => !isTerminal(pod)))
