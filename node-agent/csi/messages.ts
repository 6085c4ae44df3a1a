/** What the Container Storage Interface speaks in, as far as it is read or written here. 64-bit integers are strings. */

export type AccessMode =
  | 'UNKNOWN'
  | 'SINGLE_NODE_WRITER'
  | 'SINGLE_NODE_READER_ONLY'
  | 'MULTI_NODE_READER_ONLY'
  | 'MULTI_NODE_SINGLE_WRITER'
  | 'MULTI_NODE_MULTI_WRITER'
  | 'SINGLE_NODE_SINGLE_WRITER'
  | 'SINGLE_NODE_MULTI_WRITER'

export interface VolumeCapability {
  block?: Record<string, never>
  mount?: { fsType?: string; mountFlags?: readonly string[]; volumeMountGroup?: string }
  accessMode?: { mode: AccessMode } | null
}

export interface CapacityRange {
  requiredBytes?: string
  limitBytes?: string
}

export interface Topology {
  segments: Record<string, string>
}

export interface ContentSource {
  snapshot?: { snapshotId: string }
  volume?: { volumeId: string }
}

export interface Volume {
  capacityBytes: string
  volumeId: string
  volumeContext?: Record<string, string>
  contentSource?: ContentSource | null
  accessibleTopology?: Topology[]
}

export interface CreateVolumeRequest {
  name: string
  capacityRange: CapacityRange | null
  volumeCapabilities: VolumeCapability[]
  parameters: Record<string, string>
  volumeContentSource: ContentSource | null
  accessibilityRequirements: { requisite: Topology[]; preferred: Topology[] } | null
}

export interface Snapshot {
  sizeBytes: string
  snapshotId: string
  sourceVolumeId: string
  creationTime: { seconds: string; nanos: number }
  readyToUse: boolean
}

export interface NodeStageVolumeRequest {
  volumeId: string
  publishContext?: Readonly<Record<string, string>>
  stagingTargetPath: string
  volumeCapability: VolumeCapability | null
  secrets?: Readonly<Record<string, string>>
  volumeContext?: Readonly<Record<string, string>>
}

export interface NodePublishVolumeRequest extends NodeStageVolumeRequest {
  targetPath: string
  readonly: boolean
}

export interface NodeExpandVolumeRequest {
  volumeId: string
  volumePath: string
  capacityRange: CapacityRange | null
  stagingTargetPath: string
  volumeCapability: VolumeCapability | null
  secrets?: Readonly<Record<string, string>>
}

export interface VolumeUsage {
  available: string
  total: string
  used: string
  unit: 'UNKNOWN' | 'BYTES' | 'INODES'
}

export interface NodeInfo {
  nodeId: string
  maxVolumesPerNode: string
  accessibleTopology: Topology | null
}

/** What a driver says that it can do, as lists of names: `{ rpc: { type: 'EXPAND_VOLUME' } }`. */
export interface Capabilities {
  capabilities: { rpc?: { type: string } }[]
}
