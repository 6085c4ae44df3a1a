import type { VolumeSnapshot, VolumeSnapshotContent } from '../../api/snapshots/types.ts'
import type { Live } from '../../client/types.ts'
import { driverName } from './csi.ts'

/** A snapshot of the claim `data`, bound to a content. */
export const snapshotOf = (name: string, content: string, readyToUse = false): Live<VolumeSnapshot> => ({
  metadata: { name, namespace: 'default' },
  spec: { source: { persistentVolumeClaimName: 'data' } },
  status: { boundVolumeSnapshotContentName: content, readyToUse, restoreSize: '1Gi' },
})

/** The content that `data-1` is bound to: the driver's snapshot `s1`, which is on one node. */
export const contentOf = (name: string, snapshotUid: string, node: string): Live<VolumeSnapshotContent> => ({
  metadata: { name, labels: { 'snapshot.storage.kubernetes.io/managed-by': node } },
  spec: {
    driver: driverName,
    deletionPolicy: 'Delete',
    source: { volumeHandle: 'id' },
    sourceVolumeMode: 'Filesystem',
    volumeSnapshotRef: { name: 'data-1', namespace: 'default', uid: snapshotUid },
  },
  status: { snapshotHandle: 's1', readyToUse: true, restoreSize: 2 ** 30 },
})
