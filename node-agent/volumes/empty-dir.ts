import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises'
import { quantityValue } from '../../api/machinery/quantity.ts'
import { podLimits } from '../pods/resources.ts'
import { fsGroupOf, giveToGroup } from './fs-group.ts'
import { isMountPoint } from './mount-points.ts'
import { mount } from './mounting.ts'
import type { VolumeContext, VolumePlugin } from './types.ts'
import { fileSystemUsage, walkedUsage } from './usage.ts'

/** A directory that lives as long as the pod; with medium Memory a file system in memory. */
export const emptyDir: VolumePlugin = {
  name: 'kubernetes.io~empty-dir',
  handles: ({ volume }) => volume.emptyDir !== undefined,
  async mount({ volume: { emptyDir: source = {} } }, context) {
    const { pod, directory, mayMount } = context
    const { medium = '', sizeLimit } = source
    const group = fsGroupOf(pod)
    if (medium.startsWith('HugePages'))
      throw new Error(`medium ${medium} is not supported: this node has no huge pages`)
    if (medium === 'Memory' && mayMount) {
      await mkdir(directory, { recursive: true, mode: 0o755 })
      if (!(await isMountPoint(directory))) {
        const size = memoryBytes(sizeLimit, context)
        const options = [
          group === undefined ? 'mode=0777' : `mode=2777,gid=${group}`,
          ...(size ? [`size=${size}`] : []),
        ]
        await mount(directory, 'tmpfs', { type: 'tmpfs', options })
      }
    } else if (!(await exists(directory))) {
      await makeWhole(directory, group)
    }
    return { hostPath: directory, readOnly: false, ownedByPod: group !== undefined }
  },
  usage: async ({ volume }, _, { hostPath }) =>
    volume.emptyDir?.medium === 'Memory' && (await isMountPoint(hostPath))
      ? fileSystemUsage(hostPath)
      : walkedUsage(hostPath),
}

/** No larger than the pod's memory, which what lies in it counts against, or the node's. */
function memoryBytes(sizeLimit: string | number | undefined, { pod, facts }: VolumeContext): number | undefined {
  const { memory } = facts().allocatable
  const bounds = [podLimits(pod.spec).get('memory'), ...[sizeLimit, memory].map((size) => size && quantityValue(size))]
  const given = bounds.filter((bytes): bytes is number => typeof bytes === 'number' && bytes > 0)
  return given.length > 0 ? Math.min(...given) : undefined
}

/** The directory appears when it is as it is to be: an agent that ends half way must not leave one nobody may write to. */
async function makeWhole(directory: string, group: number | undefined): Promise<void> {
  const half = `${directory}.new`
  await rm(half, { recursive: true, force: true })
  await mkdir(half, { recursive: true })
  // After making it: the process's mask takes bits away.
  await chmod(half, 0o777)
  if (group !== undefined) await giveToGroup(half, group)
  await rename(half, directory)
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return false
    },
  )
