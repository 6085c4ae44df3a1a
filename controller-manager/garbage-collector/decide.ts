import type { ObjectMeta, OwnerReference } from '../../api/generated/types.ts'
import type { DeleteOptions } from '../../client/types.ts'
import { foregroundFinalizer, orphanFinalizer } from './graph.ts'

/** What the owners of an object have become. */
export interface OwnersFound {
  /** There, and staying. */
  solid: readonly OwnerReference[]
  /** Gone. */
  dangling: readonly OwnerReference[]
  /** Being deleted, and waiting for its dependents. */
  waiting: readonly OwnerReference[]
}

export type Decision =
  | { do: 'keep' }
  /** Owners that are gone or going are taken off; others hold the object. */
  | { do: 'release'; owners: readonly OwnerReference[] }
  /** Its dependents go first; with `unblock`, one of them waits for it too, and the circle is cut. */
  | { do: 'delete'; policy: NonNullable<DeleteOptions['propagationPolicy']>; unblock: boolean }

/** What is to be done with an object, by what became of its owners. */
export function decide(
  meta: ObjectMeta,
  found: OwnersFound,
  dependents: { any: boolean; anyWaiting: boolean },
): Decision {
  const { solid, dangling, waiting } = found
  if (solid.length + dangling.length + waiting.length === 0) return { do: 'keep' }
  if (solid.length > 0) {
    if (dangling.length === 0 && waiting.length === 0) return { do: 'keep' }
    const gone = new Set([...dangling, ...waiting].map(({ uid }) => uid))
    return { do: 'release', owners: (meta.ownerReferences ?? []).filter(({ uid }) => !gone.has(uid)) }
  }
  if (waiting.length > 0 && dependents.any)
    return { do: 'delete', policy: 'Foreground', unblock: dependents.anyWaiting }
  const finalizers = meta.finalizers ?? []
  if (finalizers.includes(orphanFinalizer)) return { do: 'delete', policy: 'Orphan', unblock: false }
  if (finalizers.includes(foregroundFinalizer)) return { do: 'delete', policy: 'Foreground', unblock: false }
  return { do: 'delete', policy: 'Background', unblock: false }
}
