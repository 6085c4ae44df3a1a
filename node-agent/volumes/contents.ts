import type { Volume } from '../../api/generated/types.ts'
import { type PayloadFile, writeAtomically } from './atomic-writer.ts'
import { fsGroupOf } from './fs-group.ts'
import type { Mounted, VolumeContext, VolumePlugin, VolumeSpec } from './types.ts'
import { walkedUsage } from './usage.ts'

/** What a volume is to show, and when that gets too old by itself. */
export interface Contents {
  files: Map<string, PayloadFile>
  refreshAt?: number
}

/** A kind of volume that shows files made from objects, and follows them. */
export function contentVolume(kind: {
  name: string
  handles(spec: VolumeSpec): boolean
  /** Secrets must not reach a disk. */
  inMemory: boolean
  contents(volume: Volume, context: VolumeContext): Promise<Contents>
}): VolumePlugin {
  const placeOf = (context: VolumeContext): string => (kind.inMemory ? context.memoryDirectory : context.directory)
  const write = async ({ volume }: VolumeSpec, context: VolumeContext): Promise<number | undefined> => {
    const { files, refreshAt } = await kind.contents(volume, context)
    await writeAtomically(placeOf(context), files, fsGroupOf(context.pod))
    return refreshAt
  }
  return {
    name: kind.name,
    handles: kind.handles,
    refresh: write,
    async mount(spec, context): Promise<Mounted> {
      const refreshAt = await write(spec, context)
      return {
        hostPath: placeOf(context),
        readOnly: true,
        ownedByPod: fsGroupOf(context.pod) !== undefined,
        ...(refreshAt === undefined ? {} : { refreshAt }),
      }
    },
    usage: (_, __, { hostPath }) => walkedUsage(hostPath),
  }
}
