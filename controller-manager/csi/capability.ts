import type { PersistentVolume } from '../../api/generated/types.ts'

/** How a volume is to be used, as CSI says it. */
export interface VolumeCapability {
  block?: Record<string, never>
  mount?: { fsType?: string; mountFlags?: readonly string[] }
  accessMode: { mode: string }
}

interface Use {
  accessModes: readonly string[]
  volumeMode?: string | undefined
  fsType?: string | undefined
  mountFlags?: readonly string[] | undefined
}

/** One capability for each access mode. */
export const capabilitiesOf = ({ accessModes, ...use }: Use): VolumeCapability[] =>
  accessModes.map((mode) => capabilityOf(use, accessModeOf([mode])))

/** The one capability of a volume that stands, for what it allows at most. */
export const capabilityOfVolume = ({ spec = {} }: Pick<PersistentVolume, 'spec'>): VolumeCapability =>
  capabilityOf(
    { volumeMode: spec.volumeMode, fsType: spec.csi?.fsType, mountFlags: spec.mountOptions },
    accessModeOf(spec.accessModes ?? []),
  )

function capabilityOf({ volumeMode, fsType, mountFlags }: Omit<Use, 'accessModes'>, mode: string): VolumeCapability {
  const accessMode = { mode }
  if (volumeMode === 'Block') return { block: {}, accessMode }
  return { mount: { ...(fsType ? { fsType } : {}), ...(mountFlags?.length ? { mountFlags } : {}) }, accessMode }
}

function accessModeOf(modes: readonly string[]): string {
  if (modes.includes('ReadWriteMany')) return 'MULTI_NODE_MULTI_WRITER'
  const writes = modes.includes('ReadWriteOnce') || modes.includes('ReadWriteOncePod')
  if (modes.includes('ReadOnlyMany')) return writes ? 'MULTI_NODE_SINGLE_WRITER' : 'MULTI_NODE_READER_ONLY'
  return 'SINGLE_NODE_WRITER'
}
