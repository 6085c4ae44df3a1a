import { stat, statfs } from 'node:fs/promises'
import { CsiError } from '../errors.ts'
import type {
  NodeExpandVolumeRequest,
  NodePublishVolumeRequest,
  NodeStageVolumeRequest,
  VolumeUsage,
} from '../messages.ts'
import type { Methods } from '../server.ts'
import { capability, type DriverContext, required, volumeOf } from './context.ts'
import type { HeldVolume, VolumeKind } from './kind.ts'
import { hide, show, shownElsewhere } from './targets.ts'

/** Bringing volumes to pods and back. */
export function nodeMethods(context: DriverContext): Methods {
  const { kind, lock, volumes } = context
  const staging: Methods = kind.stage
    ? {
        async NodeStageVolume(request: NodeStageVolumeRequest) {
          required(request.stagingTargetPath, 'a staging path')
          if (!request.volumeCapability) throw new CsiError('INVALID_ARGUMENT', 'a volume capability is needed')
          await lock.take(request.volumeId, async () => kind.stage?.(await held(context, request.volumeId), request))
          return {}
        },
        async NodeUnstageVolume({ volumeId, stagingTargetPath }: { volumeId: string; stagingTargetPath: string }) {
          required(volumeId, 'a volume id')
          required(stagingTargetPath, 'a staging path')
          await lock.take(volumeId, async () => {
            const record = await volumes.get(volumeId)
            await kind.unstage?.(record && volumes.directoryOf(record.id), stagingTargetPath)
          })
          return {}
        },
      }
    : {}
  return {
    ...staging,
    NodeGetCapabilities: () => ({
      capabilities: [...kind.nodeCapabilities, 'SINGLE_NODE_MULTI_WRITER'].map(capability),
    }),
    async NodePublishVolume(request: NodePublishVolumeRequest) {
      required(request.targetPath, 'a target path')
      await lock.take(request.volumeId, () => publish(context, request))
      return {}
    },
    async NodeUnpublishVolume({ volumeId, targetPath }: { volumeId: string; targetPath: string }) {
      required(volumeId, 'a volume id')
      required(targetPath, 'a target path')
      await lock.take(volumeId, () => hide(targetPath))
      return {}
    },
    async NodeGetVolumeStats({ volumeId, volumePath }: { volumeId: string; volumePath: string }) {
      const record = await volumeOf(context, volumeId)
      if (record.block) return { usage: [bytesOf(record.capacityBytes)] }
      return { usage: await usageOf(required(volumePath, 'a volume path'), kind) }
    },
    async NodeExpandVolume({ volumeId, volumePath }: NodeExpandVolumeRequest) {
      return lock.take(volumeId, async () => {
        const volume = await held(context, volumeId)
        await stat(required(volumePath, 'a volume path')).catch(() => {
          throw new CsiError('NOT_FOUND', `there is no ${volumePath}`)
        })
        await kind.growOnNode?.(volume, volumePath)
        return { capacityBytes: String(volume.record.capacityBytes) }
      })
    },
  }
}

async function held(context: DriverContext, id: string): Promise<HeldVolume> {
  const { volumes } = context
  const volume: HeldVolume = {
    record: await volumeOf(context, id),
    directory: volumes.directoryOf(id),
    async save(changes) {
      volume.record = { ...volume.record, ...changes }
      await volumes.save(volume.record)
    },
  }
  return volume
}

async function publish(context: DriverContext, request: NodePublishVolumeRequest): Promise<void> {
  const { kind, mayMount } = context
  const { targetPath, volumeCapability, readonly } = request
  if (!volumeCapability) throw new CsiError('INVALID_ARGUMENT', 'a volume capability is needed')
  const volume = await held(context, request.volumeId)
  const source = await kind.sourceOf(volume, request)
  if (volumeCapability.accessMode?.mode === 'SINGLE_NODE_SINGLE_WRITER') {
    const [other] = await shownElsewhere(source, targetPath)
    if (other) throw new CsiError('FAILED_PRECONDITION', `the volume is for one writer, and published at ${other}`)
  }
  await show(source, targetPath, { readOnly: readonly, device: volume.record.block, mayMount })
}

async function usageOf(path: string, { measure }: VolumeKind): Promise<VolumeUsage[]> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path).catch(() => {
    throw new CsiError('NOT_FOUND', `there is no ${path}`)
  })
  const own = await measure?.(path)
  return [
    {
      unit: 'BYTES',
      total: String(blocks * bsize),
      available: String(bavail * bsize),
      used: String(own?.usedBytes ?? (blocks - bfree) * bsize),
    },
    {
      unit: 'INODES',
      total: String(files),
      available: String(ffree),
      used: String(own?.inodesUsed ?? files - ffree),
    },
  ]
}

const bytesOf = (bytes: number): VolumeUsage => ({
  unit: 'BYTES',
  total: String(bytes),
  available: '0',
  used: '0',
})
