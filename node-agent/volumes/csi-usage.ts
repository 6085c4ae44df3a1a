import type { VolumeUsage as MeasuredUsage } from '../csi/messages.ts'
import type { VolumeUsage } from './usage.ts'

/** What a driver answers that is asked how full a volume is. */
export interface VolumeStats {
  usage: MeasuredUsage[]
  /** Null where the driver does not look after its volumes' health. */
  volumeCondition: { abnormal: boolean; message: string } | null
}

/** The same as the node's statistics have it. */
export function asUsage({ usage, volumeCondition }: VolumeStats, timeMs: number): VolumeUsage {
  const of = (unit: MeasuredUsage['unit']): MeasuredUsage | undefined => usage.find((found) => found.unit === unit)
  const bytes = of('BYTES')
  const inodes = of('INODES')
  return {
    timeMs,
    ...(bytes
      ? {
          usedBytes: Number(bytes.used),
          capacityBytes: Number(bytes.total),
          availableBytes: Number(bytes.available),
        }
      : {}),
    ...(inodes
      ? { inodesUsed: Number(inodes.used), inodes: Number(inodes.total), inodesFree: Number(inodes.available) }
      : {}),
    ...(volumeCondition ? { abnormal: volumeCondition.abnormal } : {}),
  }
}
