import type { AccessMode, NodePublishVolumeRequest, NodeStageVolumeRequest } from '../messages.ts'

/** What a driver of ours remembers of a volume. */
export interface VolumeRecord {
  id: string
  name: string
  capacityBytes: number
  /** Handed out as a device rather than a directory. */
  block: boolean
  /** What it was copied from: `snapshot/ID` or `volume/ID`. */
  source: string
  /** How large the file system in it is; 0: there is none yet. */
  fileSystemBytes: number
}

/** What a driver of ours remembers of a snapshot. */
export interface SnapshotRecord {
  id: string
  name: string
  volumeId: string
  sizeBytes: number
  fileSystemBytes: number
  /** Milliseconds since 1970. */
  takenAt: number
}

/** A volume, and the directory that holds what it is made of. */
export interface HeldVolume {
  record: VolumeRecord
  directory: string
  /** Writes the record down. */
  save(changes: Partial<VolumeRecord>): Promise<void>
}

/** What our drivers differ in; see `methods.ts` for what they share. */
export interface VolumeKind {
  readonly driver: string
  readonly controllerCapabilities: readonly string[]
  readonly nodeCapabilities: readonly string[]
  /** Whether it can hand out devices. */
  readonly offersBlock: boolean
  readonly fileSystems: readonly string[]
  /** Makes a new volume in its directory, as a copy of what lies in another directory where one is named. */
  make(directory: string, record: VolumeRecord, copyOf: string | undefined, mayMount: boolean): Promise<void>
  /** Takes it away from the machine before its files go. Throws while somebody uses it. */
  release(directory: string): Promise<void>
  /** Makes room for more; whether the node must do its part too. */
  grow(volume: HeldVolume, bytes: number): Promise<boolean>
  /** Makes it ready on the node, once for all pods; absent: nothing is needed. */
  stage?(volume: HeldVolume, request: NodeStageVolumeRequest): Promise<void>
  unstage?(directory: string | undefined, stagingPath: string): Promise<void>
  /** What is shown at a pod's target. */
  sourceOf(volume: HeldVolume, request: NodePublishVolumeRequest): Promise<string>
  /** What lies in it, where its file system holds more than the volume; absent: all that is on that is its own. */
  measure?(path: string): Promise<{ usedBytes: number; inodesUsed: number }>
  /** The node's part of growing, while it is in use. */
  growOnNode?(volume: HeldVolume, path: string): Promise<void>
  /** Copies what the volume holds at one moment into a directory; absent: it cannot. */
  copy?(directory: string, into: string, mayMount: boolean): Promise<void>
}

/** Of one node, by one pod or by several. */
export const singleNodeModes: readonly AccessMode[] = [
  'SINGLE_NODE_WRITER',
  'SINGLE_NODE_READER_ONLY',
  'SINGLE_NODE_SINGLE_WRITER',
  'SINGLE_NODE_MULTI_WRITER',
]
