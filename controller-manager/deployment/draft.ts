import type { DeploymentSpec, ReplicaSet } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'
import { annotationNames } from './annotations.ts'
import { maxSurge } from './sizes.ts'

/** A replica set as it should be; `set` is as it is. Planning changes drafts, and what differs in the end is written. */
export interface Draft {
  readonly set: Live<ReplicaSet>
  /** False for one that has yet to be created. */
  readonly exists: boolean
  readonly replicas: number
  readonly annotations: Readonly<Record<string, string>>
  readonly minReadySeconds: number
}

/** A draft that changes nothing. */
export const draftOf = (set: Live<ReplicaSet>): Draft => ({
  set,
  exists: true,
  replicas: set.spec?.replicas ?? 1,
  annotations: set.metadata.annotations ?? {},
  minReadySeconds: set.spec?.minReadySeconds ?? 0,
})

/**
 * The draft with another size. How many the deployment wants and may have at most is noted beside it: that is how a later pass
 * tells scaling from rolling out. A draft of that size already is left alone, unless `always`.
 */
export function resized(draft: Draft, replicas: number, spec: DeploymentSpec, always = false): Draft {
  if (draft.replicas === replicas && !always) return draft
  return { ...draft, replicas, annotations: { ...draft.annotations, ...sizeAnnotations(spec) } }
}

/** What a replica set remembers of the deployment's size. */
export const sizeAnnotations = (spec: DeploymentSpec): Record<string, string> => ({
  [annotationNames.desiredReplicas]: String(spec.replicas ?? 1),
  [annotationNames.maxReplicas]: String((spec.replicas ?? 1) + maxSurge(spec)),
})

export const totalReplicas = (drafts: readonly Draft[]): number =>
  drafts.reduce((total, { replicas }) => total + replicas, 0)

/** A number of the sets' status, summed up. */
export const totalStatus = (
  drafts: readonly Draft[],
  field: 'replicas' | 'readyReplicas' | 'availableReplicas',
): number => drafts.reduce((total, { set }) => total + (set.status?.[field] ?? 0), 0)

export const availableOf = ({ set }: Draft): number => set.status?.availableReplicas ?? 0

/** The oldest first; of the same second, by name. One that has yet to be created is the youngest. */
export function byAge(a: Draft, b: Draft): number {
  return createdMs(a) - createdMs(b) || (a.set.metadata.name < b.set.metadata.name ? -1 : 1)
}

function createdMs({ set, exists }: Draft): number {
  const text = set.metadata.creationTimestamp
  return exists && text !== undefined ? (parseTime(text) ?? 0) : Number.MAX_SAFE_INTEGER
}
