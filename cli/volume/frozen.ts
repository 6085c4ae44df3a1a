import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts'
import type { VolumeSnapshot, VolumeSnapshotClass } from '../../api/snapshots/types.ts'
import { isNotFound } from '../../client/errors.ts'
import {
  persistentVolumeClaims,
  persistentVolumes,
  volumeSnapshotClasses,
  volumeSnapshots,
} from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import { uniqueName } from './carrier.ts'

const lookMs = 500
const patienceMs = 300_000
const defaultClass = 'snapshot.storage.kubernetes.io/is-default-class'

/** Whether snapshots can be taken of the claim's volume without anybody saying how. */
export async function canFreeze(session: Session, claim: Live<PersistentVolumeClaim>): Promise<boolean> {
  const { client, signal } = session
  const volume = await client.get<PersistentVolume>(
    persistentVolumes,
    { name: claim.spec?.volumeName ?? '' },
    { signal },
  )
  const driver = volume.spec?.csi?.driver
  if (!driver) return false
  const classes = await client.list<VolumeSnapshotClass>(volumeSnapshotClasses, { signal }).catch((error: unknown) => {
    // A cluster of others that has no snapshots.
    if (isNotFound(error)) return { items: [] }
    throw error
  })
  return classes.items.some(
    ({ driver: of, metadata }) => of === driver && metadata.annotations?.[defaultClass] === 'true',
  )
}

/** A claim made of a snapshot of another, for as long as `work` takes. */
export async function withFrozenCopy<T>(
  session: Session,
  claim: Live<PersistentVolumeClaim>,
  work: (claimName: string) => Promise<T>,
): Promise<T> {
  const { client, namespace } = session
  const name = uniqueName(`backup-of-${claim.metadata.name}`)
  const key = { namespace, name }
  await client.create<VolumeSnapshot>(volumeSnapshots, {
    metadata: key,
    spec: { source: { persistentVolumeClaimName: claim.metadata.name } },
  })
  try {
    await untilReady(session, name)
    const { accessModes, storageClassName, volumeMode } = claim.spec ?? {}
    const storage = claim.status?.capacity?.storage ?? claim.spec?.resources?.requests?.storage ?? '1Gi'
    await client.create<PersistentVolumeClaim>(persistentVolumeClaims, {
      metadata: key,
      spec: {
        ...(accessModes ? { accessModes } : {}),
        ...(storageClassName ? { storageClassName } : {}),
        ...(volumeMode ? { volumeMode } : {}),
        resources: { requests: { storage } },
        dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name },
      },
    })
    try {
      return await work(name)
    } finally {
      await client.delete(persistentVolumeClaims, key)
    }
  } finally {
    await client.delete(volumeSnapshots, key)
  }
}

async function untilReady({ client, namespace, clock, signal }: Session, name: string): Promise<void> {
  const until = clock.now() + patienceMs
  for (;;) {
    const { status } = await client.get<VolumeSnapshot>(volumeSnapshots, { namespace, name }, { signal })
    if (status?.readyToUse) return
    if (clock.now() > until) {
      throw new CliError(`no snapshot could be taken: ${status?.error?.message ?? 'its driver does not say why'}`)
    }
    await clock.sleep(lookMs, signal)
  }
}
