import type { FileFlags } from './flags.ts'
import type { Io } from './io.ts'
import { type ManifestObject, readManifests } from './manifests.ts'

/** The objects that `-f` gives. */
export const manifestsGiven = (io: Io, { filename, recursive }: FileFlags): Promise<ManifestObject[]> =>
  readManifests(filename ?? [], { io, recursive })
