import { join } from 'node:path'
import { makeImage, ownPlatform } from '../../node-agent/images/oci/image.ts'
import { writeLayer } from '../../node-agent/images/oci/layer-file.ts'
import { DirectoryImages } from '../../node-agent/runtime/process/images.ts'
import type { ImageTarget } from './targets.ts'

/** The unpacked images of the process runtime. */
export function directoryTarget(node: string, dataDir: string): ImageTarget {
  const images = new DirectoryImages(join(dataDir, 'images'))
  return {
    node,
    list: async () => images.list().map(({ id, repoTags, size }) => ({ id, names: repoTags, sizeBytes: size })),
    async load(image, progress = () => {}) {
      const { size } = await images.load(image)
      progress(size)
    },
    async read(name) {
      const found = images.unpacked(name)
      const root = found && images.rootOf(found)
      if (!found || root === undefined) return undefined
      // The layers it once had are one directory now.
      const layer = await writeLayer(join(dataDir, 'images', `saved-${found.id.slice(-16)}.tar`), [
        { name: '', source: root },
      ])
      const { os, architecture } = ownPlatform()
      return makeImage(found.names, { os, architecture, ...(found.config ? { config: found.config } : {}) }, [layer])
    },
    async remove(name) {
      const found = images.unpacked(name) !== undefined
      if (found) await images.remove(name)
      return found
    },
    close() {},
  }
}
