import type { VolumeSnapshot, VolumeSnapshotContent } from '../../api/snapshots/types.ts'
import type { Live } from '../../client/types.ts'

export type Snapshot = Live<VolumeSnapshot>
export type Content = Live<VolumeSnapshotContent>

/** What the external snapshotter's controllers tell each other. */
export const asSourceProtection = 'snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection'
export const boundProtection = 'snapshot.storage.kubernetes.io/volumesnapshot-bound-protection'
export const contentProtection = 'snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection'
export const claimProtection = 'snapshot.storage.kubernetes.io/pvc-as-source-protection'
/** On a content: its snapshot is being deleted. */
export const beingDeleted = 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted'
/** On a content: the driver was asked, and nobody knows yet how it ended. */
export const beingCreated = 'snapshot.storage.kubernetes.io/volumesnapshot-being-created'
export const defaultClass = 'snapshot.storage.kubernetes.io/is-default-class'
export const deletionSecretName = 'snapshot.storage.kubernetes.io/deletion-secret-name'
export const deletionSecretNamespace = 'snapshot.storage.kubernetes.io/deletion-secret-namespace'
/** The one node whose driver has the snapshot. */
export const managedBy = 'snapshot.storage.kubernetes.io/managed-by'

/** The content that is made for a snapshot has its name, however often it is made. */
export const contentNameFor = ({ metadata }: Snapshot): string => `snapcontent-${metadata.uid ?? ''}`

/** The content that a snapshot is, or is to be, bound to. */
export const contentNameOf = (snapshot: Snapshot): string =>
  snapshot.spec.source.volumeSnapshotContentName ?? contentNameFor(snapshot)

/** Whether each names the other. */
export function isContentOf({ spec }: Content, { metadata }: Snapshot): boolean {
  const { name, namespace, uid } = spec.volumeSnapshotRef
  return name === metadata.name && namespace === metadata.namespace && uid === metadata.uid
}
