import {
  boundByController,
  type Claim,
  type PersistentVolumeLike,
  provisionedBy,
  sameMode,
} from '../../api/core/volume-binding.ts'
import type { Notice } from './claim.ts'

export type VolumePlan =
  /** Write the phase; the notice is told once. */
  | { do: 'phase'; phase: 'Available' | 'Bound' | 'Released' | 'Failed'; message?: string; notice?: Notice }
  /** The claim is bound elsewhere: free the volume, or leave it to the claim it was made for by hand. */
  | { do: 'unbind' }
  /** The binding is the claim's to finish. */
  | { do: 'wake-claim' }
  /** It can never be bound; each of the two is told why. */
  | { do: 'tell'; volume: Notice; claim: Notice }

/** What is to become of a volume: upstream's rules. `claim` is the very claim it is bound to; undefined when that has gone. */
export function planVolume(volume: PersistentVolumeLike, claim: Claim | undefined): VolumePlan {
  const ref = volume.spec?.claimRef
  // One kept for a claim by name is free until that claim takes it.
  if (!ref?.uid) return { do: 'phase', phase: 'Available' }
  if (!claim) return planReleased(volume)
  const { volumeName } = claim.spec ?? {}
  if (volumeName === volume.metadata.name) return { do: 'phase', phase: 'Bound' }
  if (volumeName) {
    const isSuperfluous = isProvisioned(volume) && volume.spec?.persistentVolumeReclaimPolicy === 'Delete'
    return isSuperfluous ? planReleased(volume) : { do: 'unbind' }
  }
  if (sameMode(volume, claim)) return { do: 'wake-claim' }
  const tell = (message: string): Notice => ({ type: 'Warning', reason: 'VolumeMismatch', message })
  const [claimName, name] = [JSON.stringify(claim.metadata.name), JSON.stringify(volume.metadata.name)]
  return {
    do: 'tell',
    volume: tell(
      `Cannot bind PersistentVolume to requested PersistentVolumeClaim ${claimName} due to incompatible volumeMode.`,
    ),
    claim: tell(
      `Cannot bind PersistentVolume ${name} to requested PersistentVolumeClaim due to incompatible volumeMode.`,
    ),
  }
}

/** First released, for all to see; what cannot be reclaimed has failed then. */
function planReleased(volume: PersistentVolumeLike): VolumePlan {
  const { phase } = volume.status ?? {}
  if (phase !== 'Released' && phase !== 'Failed') return { do: 'phase', phase: 'Released' }
  const fault = reclaimFault(volume)
  // A failure stays to be seen.
  if (!fault) return { do: 'phase', phase }
  return { do: 'phase', phase: 'Failed', message: fault.message, notice: { type: 'Warning', ...fault } }
}

/** Why nobody will reclaim the volume. A provisioner that makes volumes also deletes them. */
function reclaimFault(volume: PersistentVolumeLike): { reason: string; message: string } | undefined {
  switch (volume.spec?.persistentVolumeReclaimPolicy) {
    case 'Retain':
      return undefined
    case 'Delete': {
      const provisioner = volume.metadata.annotations?.[provisionedBy]
      const isExternal = provisioner ? !provisioner.startsWith('kubernetes.io/') : volume.spec.csi !== undefined
      if (isExternal) return undefined
      const name = JSON.stringify(volume.metadata.name)
      const message = `error getting deleter volume plugin for volume ${name}: no deletable volume plugin matched`
      return { reason: 'VolumeFailedDelete', message }
    }
    case 'Recycle':
      return { reason: 'VolumeFailedRecycle', message: 'No recycler plugin found for the volume!' }
    default:
      return {
        reason: 'VolumeUnknownReclaimPolicy',
        message: 'Volume has unrecognized PersistentVolumeReclaimPolicy',
      }
  }
}

const isProvisioned = ({ metadata }: PersistentVolumeLike): boolean =>
  metadata.annotations?.[provisionedBy] !== undefined

/** The volume without its claim, or, where somebody chose the claim by hand, kept for it by name alone. */
export function unboundVolume(volume: PersistentVolumeLike): PersistentVolumeLike {
  const { claimRef, ...spec } = volume.spec ?? {}
  const { annotations = {}, ...metadata } = volume.metadata
  if (annotations[boundByController] === undefined) {
    const { uid: _, ...kept } = claimRef ?? {}
    return { ...volume, spec: { ...spec, claimRef: kept } }
  }
  const { [boundByController]: _, ...others } = annotations
  return {
    ...volume,
    metadata: { ...metadata, ...(Object.keys(others).length > 0 ? { annotations: others } : {}) },
    spec,
  }
}
