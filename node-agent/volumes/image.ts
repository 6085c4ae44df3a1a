import { mkdir } from 'node:fs/promises'
import type { Cri } from '../runtime/cri.ts'
import type { Runtime } from '../runtime/index.ts'
import { isMountPoint } from './mount-points.ts'
import { bind, mount, unmountAll } from './mounting.ts'
import type { VolumePlugin } from './types.ts'

/**
 * The files of an image, which is on the node already. Not every runtime's interface can mount images, so its view of the
 * image is mounted by the agent, the same for all of them; it cannot be written to.
 */
export function imageVolume({
  cri,
  viewImage,
  releaseView,
}: Pick<Runtime, 'viewImage' | 'releaseView'> & { cri: Pick<Cri, 'imageStatus'> }): VolumePlugin {
  return {
    name: 'kubernetes.io~image',
    handles: ({ volume }) => volume.image !== undefined,
    async mount({ volume, name }, { podUid, directory, mayMount }) {
      const mounted = { hostPath: directory, readOnly: true, ownedByPod: false }
      if (mayMount && (await isMountPoint(directory))) return mounted
      const reference = volume.image?.reference ?? ''
      const { image } = await cri.imageStatus({ image: reference })
      if (!image) throw new Error(`image ${JSON.stringify(reference)} is not on this node`)
      // First: an agent that finds the directory knows that there may be a view.
      await mkdir(directory, { recursive: true, mode: 0o755 })
      const view = await viewImage(image.id, viewKey(podUid, name))
      if ('directory' in view) return { ...mounted, hostPath: view.directory }
      const { type, source, options } = view
      if (type === 'bind') await bind(directory, source, { readOnly: true })
      else await mount(directory, source, { type, options: options.includes('ro') ? options : [...options, 'ro'] })
      return mounted
    },
    async unmount({ podUid, name, directory }) {
      await unmountAll(directory)
      await releaseView(viewKey(podUid, name))
    },
  }
}

const viewKey = (podUid: string, name: string): string => `gantry-volume-${podUid}-${name}`
