import { CsiError } from '../errors.ts'
import type { Snapshot } from '../messages.ts'
import type { Methods } from '../server.ts'
import { type DriverContext, idFor, required, volumeOf } from './context.ts'
import type { SnapshotRecord } from './kind.ts'
import { page } from './pages.ts'

/** What is held while a snapshot is copied from, or removed; no volume has such an id. */
export const snapshotLock = (id: string): string => `snapshot/${id}`

/** Copies of volumes as they were at one moment; none where the kind cannot copy. */
export function snapshotMethods(context: DriverContext): Methods {
  const { kind, snapshots, lock } = context
  if (!kind.copy) return {}
  return {
    async CreateSnapshot(request: { sourceVolumeId: string; name: string }) {
      const id = idFor(required(request.name, 'a name'))
      return { snapshot: await lock.take(request.sourceVolumeId, () => createSnapshot(context, id, request)) }
    },
    async DeleteSnapshot({ snapshotId }: { snapshotId: string }) {
      required(snapshotId, 'a snapshot id')
      await lock.take(snapshotLock(snapshotId), async () => {
        if (await snapshots.get(snapshotId)) await snapshots.remove(snapshotId)
      })
      return {}
    },
    async ListSnapshots(request: {
      maxEntries: number
      startingToken: string
      sourceVolumeId: string
      snapshotId: string
    }) {
      const { sourceVolumeId, snapshotId } = request
      const wanted = (await snapshots.list()).filter(
        ({ id, volumeId }) =>
          (snapshotId === '' || id === snapshotId) && (sourceVolumeId === '' || volumeId === sourceVolumeId),
      )
      const { items, nextToken } = page(wanted, request.maxEntries, request.startingToken)
      return { entries: items.map((record) => ({ snapshot: described(record) })), nextToken }
    },
  }
}

async function createSnapshot(
  context: DriverContext,
  id: string,
  { sourceVolumeId, name }: { sourceVolumeId: string; name: string },
): Promise<Snapshot> {
  const { kind, volumes, snapshots, mayMount } = context
  const existing = await snapshots.get(id)
  if (existing) {
    if (existing.volumeId === sourceVolumeId && existing.name === name) return described(existing)
    throw new CsiError('ALREADY_EXISTS', `snapshot ${name} is there, and of volume ${existing.volumeId}`)
  }
  const { capacityBytes, fileSystemBytes } = await volumeOf(context, sourceVolumeId)
  const record: SnapshotRecord = {
    id,
    name,
    volumeId: sourceVolumeId,
    sizeBytes: capacityBytes,
    fileSystemBytes,
    takenAt: Date.now(),
  }
  await snapshots.create(record, async (made) => {
    await kind.copy?.(volumes.directoryOf(sourceVolumeId), made, mayMount)
  })
  return described(record)
}

const described = ({ id, volumeId, sizeBytes, takenAt }: SnapshotRecord): Snapshot => ({
  snapshotId: id,
  sourceVolumeId: volumeId,
  sizeBytes: String(sizeBytes),
  creationTime: { seconds: String(Math.floor(takenAt / 1000)), nanos: (takenAt % 1000) * 1e6 },
  readyToUse: true,
})
