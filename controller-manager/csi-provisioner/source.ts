import { type Claim, isReachedFrom, isVolumeOf, requestOf, sameMode } from '../../api/core/volume-binding.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts'
import { compareQuantity, quantityValue } from '../../api/machinery/quantity.ts'
import type { VolumeSnapshot, VolumeSnapshotContent } from '../../api/snapshots/types.ts'
import type { Lister } from '../../client/informer.ts'
import type { DriverNode } from '../csi/drivers.ts'
import { isContentOf, managedBy } from '../snapshots/names.ts'

/** What a new volume is to be a copy of. */
export interface CopySource {
  /** As CSI names it. */
  volumeContentSource: { volume: { volumeId: string } } | { snapshot: { snapshotId: string } }
  /** Whether it can be copied there. */
  isAt(node: DriverNode): boolean
}

/** What is looked at to find it. */
export interface SourceListers {
  claims: Lister<PersistentVolumeClaim>
  volumes: Lister<PersistentVolume>
  snapshots: Lister<VolumeSnapshot>
  contents: Lister<VolumeSnapshotContent>
}

/** Lets a volume of another mode be made of a snapshot. */
const allowModeChange = 'snapshot.storage.kubernetes.io/allow-volume-mode-change'

/** What the claim's volume is to be a copy of; undefined: it is to be empty. Throws where it cannot be copied, or not yet. */
export function sourceFor(claim: Claim, driver: string, listers: SourceListers): CopySource | undefined {
  const source = claim.spec?.dataSourceRef ?? claim.spec?.dataSource
  if (!source) return undefined
  const { namespace } = claim.metadata
  if (source.kind === 'PersistentVolumeClaim' && !source.apiGroup) {
    return volumeSource(claim, listers.claims.get(namespace, source.name), source.name, driver, listers)
  }
  if (source.kind === 'VolumeSnapshot' && source.apiGroup === 'snapshot.storage.k8s.io') {
    return snapshotSource(claim, listers.snapshots.get(namespace, source.name), source.name, driver, listers)
  }
  throw new Error(`volumes cannot be made from a ${source.kind} here`)
}

function volumeSource(
  claim: Claim,
  origin: Claim | undefined,
  name: string,
  driver: string,
  { volumes }: SourceListers,
): CopySource {
  if (origin?.status?.phase !== 'Bound') throw new Error(`the PVC DataSource ${name} must have a status of Bound`)
  if (origin.metadata.deletionTimestamp) throw new Error(`the PVC DataSource ${name} is currently being deleted`)
  if (compareQuantity(requestOf(claim), requestOf(origin)) < 0) {
    throw new Error(
      `error, new PVC request must be greater than or equal in size to the specified PVC data source, requested ${quantityValue(requestOf(claim))} but source is ${quantityValue(requestOf(origin))}`,
    )
  }
  const volume = volumes.get(undefined, origin.spec?.volumeName ?? '')
  if (volume?.spec?.csi?.driver !== driver || !isVolumeOf(volume, origin)) {
    throw new Error('claim in dataSource not bound or invalid')
  }
  if (!sameMode(volume, claim)) {
    throw new Error('the source PVC and destination PVCs must have the same volume mode for cloning')
  }
  return {
    volumeContentSource: { volume: { volumeId: volume.spec.csi.volumeHandle } },
    isAt: (node) => isReachedFrom(volume, node),
  }
}

function snapshotSource(
  claim: Claim,
  snapshot: ReturnType<SourceListers['snapshots']['get']>,
  name: string,
  driver: string,
  { contents }: SourceListers,
): CopySource {
  if (!snapshot) throw new Error(`there is no snapshot ${JSON.stringify(name)}`)
  if (snapshot.metadata.deletionTimestamp) throw new Error(`snapshot ${name} is being deleted`)
  const { readyToUse, restoreSize, boundVolumeSnapshotContentName = '' } = snapshot.status ?? {}
  const content = contents.get(undefined, boundVolumeSnapshotContentName)
  if (!readyToUse) throw new Error(`snapshot ${name} is not Ready`)
  if (!content || !isContentOf(content, snapshot)) throw new Error(`snapshot ${name} is not bound to its content`)
  if (content.spec.driver !== driver) throw new Error(`snapshot ${name} is of the driver ${content.spec.driver}`)
  const snapshotId = content.status?.snapshotHandle
  if (snapshotId === undefined) throw new Error(`snapshot handle ${name} is not available`)
  if (restoreSize !== undefined && compareQuantity(requestOf(claim), restoreSize) < 0) {
    throw new Error(
      `requested volume size ${quantityValue(requestOf(claim))} is less than the size ${quantityValue(restoreSize)} for the source snapshot ${name}`,
    )
  }
  const { sourceVolumeMode } = content.spec
  const isSame = !sourceVolumeMode || sourceVolumeMode === (claim.spec?.volumeMode ?? 'Filesystem')
  if (!isSame && content.metadata.annotations?.[allowModeChange] !== 'true') {
    throw new Error(
      `requested volume ${claim.metadata.namespace}/${claim.metadata.name} modifies the mode of the source volume but does not have permission to do so. ${allowModeChange} annotation is not present on snapshotcontent ${content.metadata.name}`,
    )
  }
  const only = content.metadata.labels?.[managedBy]
  return {
    volumeContentSource: { snapshot: { snapshotId } },
    isAt: (node) => only === undefined || node.name === only,
  }
}
