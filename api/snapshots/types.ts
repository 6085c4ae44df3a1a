import type { ObjectMeta, ObjectReference, Quantity } from '../generated/types.ts'

/** What went wrong with a snapshot, and when. */
export interface VolumeSnapshotError {
  message?: string
  time?: string
}

/** How snapshots are taken, and what becomes of them. */
export interface VolumeSnapshotClass {
  apiVersion?: string
  kind?: string
  metadata?: ObjectMeta
  driver: string
  deletionPolicy: string
  parameters?: Record<string, string>
}

/** What somebody wants a snapshot of, or which one that is there. */
export interface VolumeSnapshot {
  apiVersion?: string
  kind?: string
  metadata?: ObjectMeta
  spec: {
    source: { persistentVolumeClaimName?: string; volumeSnapshotContentName?: string }
    volumeSnapshotClassName?: string
  }
  status?: {
    boundVolumeSnapshotContentName?: string
    creationTime?: string
    error?: VolumeSnapshotError
    readyToUse?: boolean
    restoreSize?: Quantity
    volumeGroupSnapshotName?: string
  }
}

/** A snapshot as its driver has it. */
export interface VolumeSnapshotContent {
  apiVersion?: string
  kind?: string
  metadata?: ObjectMeta
  spec: {
    deletionPolicy: string
    driver: string
    source: { snapshotHandle?: string; volumeHandle?: string }
    sourceVolumeMode?: string
    volumeSnapshotClassName?: string
    volumeSnapshotRef: ObjectReference
  }
  status?: {
    /** Nanoseconds since 1970. */
    creationTime?: number
    error?: VolumeSnapshotError
    readyToUse?: boolean
    /** Bytes. */
    restoreSize?: number
    snapshotHandle?: string
    volumeGroupSnapshotHandle?: string
  }
}
