import type { NamespaceCondition } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'

/** What a round of deleting a namespace's content has found. */
export interface Findings {
  /** Groups that could not be asked what they serve. */
  discoveryErrors: string[]
  deletionErrors: string[]
  /** `pods.` → how many are left. */
  remaining: Map<string, number>
  /** Finalizer → on how many objects. */
  finalizers: Map<string, number>
}

type Verdict = [type: string, holds: boolean, reason: string, message: string]

/** The conditions in upstream's words, each changed only where it differs. */
export function namespaceConditions(
  standing: readonly NamespaceCondition[],
  found: Findings,
  nowMs: number,
): NamespaceCondition[] {
  const { discoveryErrors, deletionErrors, remaining, finalizers } = found
  const list = (counts: Map<string, number>, word: string) =>
    [...counts]
      .map(([name, count]) => `${name} ${word} ${count} resource instances`)
      .sort()
      .join(', ')
  const verdicts: Verdict[] = [
    discoveryErrors.length > 0
      ? [
          'NamespaceDeletionDiscoveryFailure',
          true,
          'DiscoveryFailed',
          `Discovery failed for some groups, ${discoveryErrors.length} failing: unable to retrieve the complete list of server APIs: ${discoveryErrors.join(', ')}`,
        ]
      : ['NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered'],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    deletionErrors.length > 0
      ? [
          'NamespaceDeletionContentFailure',
          true,
          'ContentDeletionFailed',
          `Failed to delete all resource types, ${deletionErrors.length} remaining: ${deletionErrors.join(', ')}`,
        ]
      : [
          'NamespaceDeletionContentFailure',
          false,
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ],
    remaining.size > 0
      ? [
          'NamespaceContentRemaining',
          true,
          'SomeResourcesRemain',
          `Some resources are remaining: ${list(remaining, 'has')}`,
        ]
      : ['NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed'],
    finalizers.size > 0
      ? [
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${list(finalizers, 'in')}`,
        ]
      : ['NamespaceFinalizersRemaining', false, 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
  ]
  const next = [...standing]
  for (const [type, holds, reason, message] of verdicts) {
    const status = holds ? 'True' : 'False'
    const at = next.findIndex((condition) => condition.type === type)
    const before = next[at]
    if (before && before.status === status && before.reason === reason && before.message === message) continue
    const lastTransitionTime =
      before?.status === status && before.lastTransitionTime ? before.lastTransitionTime : formatTime(nowMs)
    const condition = { type, status, lastTransitionTime, reason, message }
    if (at < 0) next.push(condition)
    else next[at] = condition
  }
  return next
}
