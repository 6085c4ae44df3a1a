import { contentVolume } from './contents.ts'
import { configMapFiles, defaultFileMode } from './sources.ts'

/** A config map's keys as files, which follow it. */
export const configMap = contentVolume({
  name: 'kubernetes.io~configmap',
  inMemory: false,
  handles: ({ volume }) => volume.configMap !== undefined,
  async contents({ configMap: source = {} }, context) {
    return { files: await configMapFiles(source, source.defaultMode ?? defaultFileMode, context) }
  },
})
