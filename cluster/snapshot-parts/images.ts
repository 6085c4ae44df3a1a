import { createWriteStream } from 'node:fs'
import type { OciImage } from '../../node-agent/images/oci/image.ts'
import { readArchive } from '../../node-agent/images/oci/read-archive.ts'
import { writeArchive } from '../../node-agent/images/oci/write-archive.ts'
import { type ImageTarget, openTarget } from '../image/targets.ts'
import type { Layout } from '../layout.ts'
import { withNodeRuntime } from '../node-runtime.ts'
import type { Settings } from '../settings.ts'

/** The image that holds sandboxes: every node makes its own. */
const pause = 'localhost/gantry/pause:1'

/** Writes the images of a node, whose cluster is stopped, to an archive. Resolves to how many there were. */
export function saveImages(layout: Layout, settings: Settings, node: string, path: string): Promise<number> {
  return withImages(layout, settings, node, async (target) => {
    const names = (await target.list()).flatMap(({ names: [name] }) => (name && name !== pause ? [name] : []))
    const images: OciImage[] = []
    for (const name of new Set(names)) {
      const image = await target.read(name)
      if (image) images.push(image)
    }
    if (images.length > 0) await writeArchive(images, createWriteStream(path, { mode: 0o600 }))
    return images.length
  })
}

/** Brings the images of an archive to a node of a stopped cluster. Resolves to how many there were. */
export function loadImages(layout: Layout, settings: Settings, node: string, path: string): Promise<number> {
  return withImages(layout, settings, node, async (target) => {
    const archive = await readArchive(path)
    try {
      for (const image of archive.images) await target.load(image)
      return archive.images.length
    } finally {
      await archive.close()
    }
  })
}

const withImages = <T>(
  layout: Layout,
  settings: Settings,
  node: string,
  work: (target: ImageTarget) => Promise<T>,
): Promise<T> =>
  withNodeRuntime(layout, settings, node, async (_runtime, dataDir) => {
    const target = await openTarget(node, dataDir, settings.runtime)
    try {
      return await work(target)
    } finally {
      target.close()
    }
  })
