import type { PersistentVolume, PersistentVolumeClaim, Volume } from '../../api/generated/types.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../client/resources.ts'
import type { Api, Live } from '../../client/types.ts'
import type { BoundPod } from '../pods/types.ts'
import type { VolumeSpec } from './types.ts'

const protection = 'kubernetes.io/pvc-protection'

/** How a pod uses one of its volumes. */
export interface VolumeUse {
  volume: Volume
  /** Some container mounts it, or reads a file of it. */
  mounted: boolean
  /** Some container is given it as a device. */
  device: boolean
}

/** The volumes that some container uses; the others are left alone, as upstream does. */
export function usedVolumes({ spec }: BoundPod): VolumeUse[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  const mounts = new Set(
    containers.flatMap(({ volumeMounts = [], env = [] }) => [
      ...volumeMounts.map(({ name }) => name),
      ...env.flatMap(({ valueFrom }) => valueFrom?.fileKeyRef?.volumeName ?? []),
    ]),
  )
  const devices = new Set(containers.flatMap(({ volumeDevices = [] }) => volumeDevices.map(({ name }) => name)))
  return (spec.volumes ?? [])
    .map((volume) => ({ volume, mounted: mounts.has(volume.name), device: devices.has(volume.name) }))
    .filter(({ mounted, device }) => mounted || device)
}

/**
 * What a volume of the pod really is: itself, or the persistent volume behind its claim. Nodes may get single claims and
 * volumes but watch none, so both are read now. Throws in upstream's words while there is none to be had.
 */
export async function resolveVolume(api: Pick<Api, 'get'>, pod: BoundPod, use: VolumeUse): Promise<VolumeSpec> {
  const { volume } = use
  const source = claimOf(pod, volume)
  if (!source) return { name: volume.name, volume, mode: 'Filesystem', readOnly: false }
  const { claimName, readOnly } = source
  const found = await boundVolume(api, pod, volume, claimName).catch((error: Error) => {
    if (error instanceof NotOwner) throw error
    throw new Error(`error processing PVC ${pod.metadata.namespace}/${claimName}: ${error.message}`)
  })
  const mode = found.volume.spec?.volumeMode === 'Block' ? 'Block' : 'Filesystem'
  if (use.mounted && mode !== 'Filesystem') {
    throw new Error(`volume ${volume.name} has volumeMode ${mode}, but is specified in volumeMounts`)
  }
  if (use.device && mode !== 'Block') {
    throw new Error(`volume ${volume.name} has volumeMode ${mode}, but is specified in volumeDevices`)
  }
  return { name: found.volume.metadata.name, volume, persistent: found, mode, readOnly }
}

function claimOf({ metadata }: BoundPod, volume: Volume): { claimName: string; readOnly: boolean } | undefined {
  const { persistentVolumeClaim: claim, ephemeral } = volume
  if (claim) return { claimName: claim.claimName, readOnly: claim.readOnly ?? false }
  if (ephemeral) return { claimName: `${metadata.name}-${volume.name}`, readOnly: false }
  return undefined
}

/** A claim of that name is there, and somebody else's: using it would give the pod another's data. */
class NotOwner extends Error {}

async function boundVolume(
  api: Pick<Api, 'get'>,
  pod: BoundPod,
  { ephemeral }: Volume,
  claimName: string,
): Promise<{ volume: Live<PersistentVolume>; claim: Live<PersistentVolumeClaim> }> {
  const { namespace } = pod.metadata
  const claim = await api.get(persistentVolumeClaims, { namespace, name: claimName }).catch((error: Error) => {
    throw new Error(`failed to fetch PVC from API server: ${error.message}`)
  })
  const { deletionTimestamp, finalizers = [] } = claim.metadata
  // One that is still protected is in use, perhaps by this very pod after a restart of the agent.
  if (deletionTimestamp !== undefined && !finalizers.includes(protection)) throw new Error('PVC is being deleted')
  if (claim.status?.phase !== 'Bound') throw new Error('PVC is not bound')
  const volumeName = claim.spec?.volumeName
  if (!volumeName) throw new Error('PVC has empty pvc.Spec.VolumeName')
  if (ephemeral && !isControlledBy(claim, pod)) {
    const { name } = pod.metadata
    throw new NotOwner(`PVC ${namespace}/${claimName} was not created for pod ${namespace}/${name} (pod is not owner)`)
  }
  const volume = await api.get(persistentVolumes, { name: volumeName }).catch((error: Error) => {
    throw new Error(`failed to fetch PV ${volumeName} from API server: ${error.message}`)
  })
  const reference = volume.spec?.claimRef
  if (!reference) {
    throw new Error(
      `found PV object ${volumeName} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`,
    )
  }
  const { uid } = claim.metadata
  if (reference.uid !== uid) {
    throw new Error(
      `found PV object ${volumeName} but its pv.Spec.ClaimRef.UID ${reference.uid} does not point to claim.UID ${uid}`,
    )
  }
  return { volume, claim }
}

const isControlledBy = (claim: Live<PersistentVolumeClaim>, pod: BoundPod): boolean =>
  (claim.metadata.ownerReferences ?? []).some(({ uid, controller }) => controller && uid === pod.metadata.uid)
