import { contentVolume } from './contents.ts'
import { defaultFileMode, downwardFiles } from './sources.ts'

/** The pod's own labels, annotations, resources and so on as files, which follow them. */
export const downwardApi = contentVolume({
  name: 'kubernetes.io~downward-api',
  inMemory: false,
  handles: ({ volume }) => volume.downwardAPI !== undefined,
  async contents({ downwardAPI: source = {} }, context) {
    return { files: downwardFiles(source.items ?? [], source.defaultMode ?? defaultFileMode, context) }
  },
})
