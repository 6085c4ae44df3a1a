import { contentVolume } from './contents.ts'
import { defaultFileMode, secretFiles } from './sources.ts'

/** A secret's keys as files in memory, which follow it. */
export const secret = contentVolume({
  name: 'kubernetes.io~secret',
  inMemory: true,
  handles: ({ volume }) => volume.secret !== undefined,
  async contents({ secret: source = {} }, context) {
    return { files: await secretFiles(source, source.defaultMode ?? defaultFileMode, context) }
  },
})
