import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { VolumePlace, VolumeSpec } from './types.ts'

interface Directories {
  podsDirectory: string
  memoryDirectory: string
  pluginsDirectory: string
}

/** By a volume's mode, the directory of its pod that it lies in, as upstream lays it out. */
const folders = { Filesystem: 'volumes', Block: 'volumeDevices' } as const

/** Where a volume of a pod belongs. */
export function placeOf(
  { podsDirectory, memoryDirectory, pluginsDirectory }: Directories,
  podUid: string,
  plugin: string,
  { name, mode }: Pick<VolumeSpec, 'name' | 'mode'>,
): VolumePlace {
  return {
    podUid,
    name,
    mode,
    directory: join(podsDirectory, podUid, folders[mode], plugin, name),
    memoryDirectory: join(memoryDirectory, podUid, plugin, name),
    pluginsDirectory,
  }
}

/** The places of a pod that something lies in, whoever made it. */
export async function placesOnDisk(
  directories: Directories,
  podUid: string,
): Promise<{ plugin: string; place: VolumePlace }[]> {
  const found: { plugin: string; place: VolumePlace }[] = []
  for (const mode of ['Filesystem', 'Block'] as const) {
    const folder = join(directories.podsDirectory, podUid, folders[mode])
    for (const plugin of await namesIn(folder)) {
      for (const name of await namesIn(join(folder, plugin))) {
        found.push({ plugin, place: placeOf(directories, podUid, plugin, { name, mode }) })
      }
    }
  }
  return found
}

/** What lies in a directory; nothing, where there is none. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
