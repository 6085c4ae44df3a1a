import { beingCreated, beingDeleted, type Content, contentProtection } from '../snapshots/names.ts'

/** What is to be done about the snapshot that a content stands for. */
export type ContentPlan =
  | { do: 'nothing' | 'protect' | 'let-go' }
  | { do: 'create'; volumeId: string }
  | { do: 'look'; handle: string }
  | { do: 'delete'; handle: string }

/** Decides of one content. One whose snapshot has not been bound to it yet is left alone. */
export function planContent({ metadata, spec, status }: Content): ContentPlan {
  const { finalizers = [], annotations = {}, deletionTimestamp } = metadata
  const { volumeHandle, snapshotHandle } = spec.source
  const handle = status?.snapshotHandle
  if (deletionTimestamp) {
    if (!finalizers.includes(contentProtection)) return { do: 'nothing' }
    const isOfNobody = snapshotHandle !== undefined && !spec.volumeSnapshotRef.uid
    if (annotations[beingDeleted] === undefined && !isOfNobody) return { do: 'nothing' }
    // What may have been made without anybody hearing of it is asked for again first, to learn its name.
    if (volumeHandle !== undefined && handle === undefined && annotations[beingCreated] !== undefined) {
      return { do: 'create', volumeId: volumeHandle }
    }
    const known = handle ?? snapshotHandle
    return spec.deletionPolicy === 'Delete' && known !== undefined ? { do: 'delete', handle: known } : { do: 'let-go' }
  }
  if (!spec.volumeSnapshotRef.uid) return { do: 'nothing' }
  if (!finalizers.includes(contentProtection)) return { do: 'protect' }
  if (status?.readyToUse) return { do: 'nothing' }
  if (volumeHandle !== undefined) return { do: 'create', volumeId: volumeHandle }
  return snapshotHandle === undefined ? { do: 'nothing' } : { do: 'look', handle: snapshotHandle }
}
