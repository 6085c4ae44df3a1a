import type { Deployment, ReplicaSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { annotationNames, staysBehind } from './annotations.ts'
import { byAge, type Draft } from './draft.ts'
import { noLimit } from './sizes.ts'

const maxHistoryChars = 2000
/** Whoever writes the annotation may write any number of 64 bits: upstream counts on from it. */
const highest = 2n ** 63n - 1n

/** The revision that a replica set stands for; 0 if it does not say, undefined if it says nonsense. */
export function revisionOf(annotations: Readonly<Record<string, string>> | undefined): bigint | undefined {
  const text = annotations?.[annotationNames.revision]
  return text === undefined ? 0n : parseRevision(text)
}

/** A number of 64 bits; undefined for anything else. */
export function parseRevision(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  return value > highest || value < -highest - 1n ? undefined : value
}

/** The highest revision; 0 if there is none. */
export const maxRevision = (sets: readonly { metadata: Live<ReplicaSet>['metadata'] }[]): bigint =>
  revisionsOf(sets)[0] ?? 0n

/** The second highest revision: the one before the current; 0 if there is none. */
export const lastRevision = (sets: readonly { metadata: Live<ReplicaSet>['metadata'] }[]): bigint =>
  revisionsOf(sets)[1] ?? 0n

/** The highest first; none below 0. */
const revisionsOf = (sets: readonly { metadata: Live<ReplicaSet>['metadata'] }[]): bigint[] =>
  sets
    .map(({ metadata }) => revisionOf(metadata.annotations) ?? 0n)
    .filter((revision) => revision >= 0n)
    .sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))

/**
 * The annotations of the set that is to serve `revision`: the deployment's, its own, and the revision unless it has a higher
 * one already. A set that served before remembers the revisions it had, up to 2,000 characters, the oldest given up first.
 */
export function annotationsForRevision(
  deployment: Live<Deployment>,
  annotations: Readonly<Record<string, string>>,
  revision: bigint,
): Record<string, string> {
  const result = { ...annotations }
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!staysBehind(name)) result[name] = value
  }
  const text = annotations[annotationNames.revision]
  const before = text === '' ? 0n : revisionOf(annotations)
  if (before === undefined || before >= revision) return result
  result[annotationNames.revision] = String(revision)
  if (text === undefined) return result
  const history = (annotations[annotationNames.revisionHistory] ?? '').split(',').filter((item) => item !== '')
  history.push(text)
  while (history.length > 1 && history.join(',').length > maxHistoryChars) history.shift()
  result[annotationNames.revisionHistory] = history.join(',')
  return result
}

/** The old sets beyond `revisionHistoryLimit`, those of the lowest revisions, unless they still have or may get pods. */
export function surplusHistory(deployment: Live<Deployment>, old: readonly Draft[]): Draft[] {
  const limit = deployment.spec?.revisionHistoryLimit
  if (limit === undefined || limit === noLimit) return []
  const alive = old.filter(({ set }) => set.metadata.deletionTimestamp === undefined)
  return alive
    .sort(byRevision)
    .slice(0, Math.max(0, alive.length - limit))
    .filter(
      ({ set, replicas }) =>
        replicas === 0 &&
        (set.spec?.replicas ?? 1) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
}

function byRevision(a: Draft, b: Draft): number {
  const [one, other] = [revisionOf(a.set.metadata.annotations), revisionOf(b.set.metadata.annotations)]
  return one === undefined || other === undefined || one === other ? byAge(a, b) : one < other ? -1 : 1
}
