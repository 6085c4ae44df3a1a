import { chmod, mkdir } from 'node:fs/promises'
import { quantityValue } from '../../api/machinery/quantity.ts'
import { fsGroupOf, giveToGroup } from './fs-group.ts'
import { isMountPoint } from './mount-points.ts'
import { mount } from './mounting.ts'
import type { VolumePlugin } from './types.ts'

/** A directory that lives as long as the pod; with medium Memory a file system in memory. */
export const emptyDir: VolumePlugin = {
  name: 'kubernetes.io~empty-dir',
  handles: ({ volume }) => volume.emptyDir !== undefined,
  async mount({ volume: { emptyDir: source = {} } }, { pod, directory, mayMount }) {
    await mkdir(directory, { recursive: true })
    if (source.medium === 'Memory' && mayMount && !(await isMountPoint(directory))) {
      const limit = source.sizeLimit === undefined ? 0 : quantityValue(source.sizeLimit)
      const options = limit > 0 ? [`size=${limit}`] : []
      await mount(directory, 'tmpfs', { type: 'tmpfs', options })
    }
    // After making it: the process's mask takes bits away.
    await chmod(directory, 0o777)
    const group = fsGroupOf(pod)
    if (group !== undefined) await giveToGroup(directory, group)
    return { hostPath: directory, readOnly: false, ownedByPod: group !== undefined }
  },
}
