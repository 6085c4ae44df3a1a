import { createHash } from 'node:crypto'
import type { PersistentVolume, VolumeAttachment } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'

/** For so long a node may hold a volume after its last pod, if it is heard of no more. Upstream's. */
export const forceDetachAfterMs = 360_000

/** A node, as far as volumes on it matter. */
export interface NodeState {
  /** It says that it holds the volume. */
  isHolding: boolean
  isHealthy: boolean
  /** Somebody vouches that it is switched off. */
  isOutOfService: boolean
}

export interface AttachSurroundings {
  /** The nodes with pods that use the volume; of each, the pods' names. */
  wanted: ReadonlyMap<string, readonly string[]>
  attachments: readonly Stored<VolumeAttachment>[]
  /** Undefined for a node that is gone. */
  node(name: string): NodeState | undefined
  /** Since when the attachment has had no pod, in milliseconds since 1970. */
  unwantedSince(attachment: string): number
  nowMs: number
}

export type AttachStep =
  | { do: 'attach'; node: string }
  | { do: 'detach'; node: string; attachment: string }
  /** The volume is elsewhere, where only one node may have it. */
  | { do: 'refuse'; node: string; usedBy: readonly string[] }
  /** Its node holds the volume still. */
  | { do: 'wait'; attachment: string; ms: number }

/** What is to be done for a volume to be attached where its pods are, and nowhere else. Detaching comes first. */
export function planAttach(volume: Stored<PersistentVolume>, around: AttachSurroundings): AttachStep[] {
  const { wanted, attachments } = around
  const steps: AttachStep[] = []
  for (const { metadata, spec } of attachments) {
    if (wanted.has(spec.nodeName) || metadata.deletionTimestamp) continue
    const attachment = metadata.name ?? ''
    const ms = holdMs(attachment, spec.nodeName, around)
    steps.push(ms > 0 ? { do: 'wait', attachment, ms } : { do: 'detach', attachment, node: spec.nodeName })
  }
  const missing = [...wanted.keys()].filter(
    (node) => !attachments.some(({ spec, metadata }) => spec.nodeName === node && !metadata.deletionTimestamp),
  )
  for (const node of missing.sort()) {
    // One that is being taken off this very node comes back when that is done.
    if (attachments.some(({ spec }) => spec.nodeName === node)) continue
    const others = attachments.map(({ spec }) => spec.nodeName)
    const isTaken = others.length > 0 || steps.some((step) => step.do === 'attach')
    if (isTaken && !allowsManyNodes(volume)) {
      steps.push({ do: 'refuse', node, usedBy: others.flatMap((name) => wanted.get(name) ?? []).sort() })
    } else steps.push({ do: 'attach', node })
  }
  return steps
}

/** How long the node's hold on the volume is respected still. */
function holdMs(attachment: string, nodeName: string, { node, nowMs, unwantedSince }: AttachSurroundings): number {
  const state = node(nodeName)
  if (!state?.isHolding || state.isOutOfService) return 0
  const left = unwantedSince(attachment) + forceDetachAfterMs - nowMs
  // A healthy node is waited for as long as it takes: it says when it is done.
  return state.isHealthy ? forceDetachAfterMs : Math.max(0, left)
}

const allowsManyNodes = ({ spec }: Stored<PersistentVolume>): boolean => {
  const modes = spec?.accessModes ?? []
  return modes.length === 0 || modes.includes('ReadWriteMany') || modes.includes('ReadOnlyMany')
}

/** Upstream's name of the attachment of a volume to a node: agents look for it. */
export function attachmentName(driver: string, volumeHandle: string, node: string): string {
  return `csi-${createHash('sha256').update(`${volumeHandle}${driver}${node}`).digest('hex')}`
}

/** What nodes call a volume in their status. */
export const uniqueVolumeName = (driver: string, volumeHandle: string): string =>
  `kubernetes.io/csi/${driver}^${volumeHandle}`
