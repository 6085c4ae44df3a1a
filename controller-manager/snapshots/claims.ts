import type { PersistentVolumeClaim } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { Snapshot } from './names.ts'

/** Whether a volume is being made of the snapshot for one of these claims. */
export const isBeingRestored = ({ metadata }: Snapshot, claims: readonly Live<PersistentVolumeClaim>[]): boolean =>
  claims.some(({ metadata: { namespace }, spec, status }) => {
    const source = spec?.dataSourceRef ?? spec?.dataSource
    return (
      namespace === metadata.namespace &&
      source?.kind === 'VolumeSnapshot' &&
      source.name === metadata.name &&
      status?.phase === 'Pending'
    )
  })

/** Whether one of these snapshots is yet to be taken of the claim. */
export const isBeingTakenOf = (claim: string, snapshots: readonly Snapshot[]): boolean =>
  snapshots.some(
    ({ metadata, spec, status }) =>
      spec.source.persistentVolumeClaimName === claim && !metadata.deletionTimestamp && !status?.creationTime,
  )
