import { chmod, mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { treeUsage } from '../../volumes/usage.ts'
import { copyDirectory } from './copy-directory.ts'
import type { VolumeKind } from './kind.ts'

/** A directory of the node. How much is put into it is not limited: its size is what was promised. */
export const localPath: VolumeKind = {
  driver: 'local-path.gantry.dev',
  controllerCapabilities: [
    'CREATE_DELETE_VOLUME',
    'LIST_VOLUMES',
    'GET_CAPACITY',
    'CREATE_DELETE_SNAPSHOT',
    'LIST_SNAPSHOTS',
    'CLONE_VOLUME',
    'EXPAND_VOLUME',
    'GET_VOLUME',
  ],
  nodeCapabilities: ['GET_VOLUME_STATS'],
  offersBlock: false,
  // Whatever the directory is on: a name is not held against anybody.
  fileSystems: [],
  async make(directory, _record, copyOf, mayMount) {
    if (copyOf !== undefined) return copyDirectory(join(copyOf, 'data'), join(directory, 'data'), mayMount)
    await mkdir(join(directory, 'data'))
    // Whoever the pod runs as may write; after making it, for the process's mask takes bits away.
    await chmod(join(directory, 'data'), 0o777)
  },
  async release() {
    // Nothing of it is held anywhere else.
  },
  async grow() {
    return false
  },
  async sourceOf({ directory }) {
    return join(directory, 'data')
  },
  measure: async (path) => treeUsage(await realpath(path)),
  copy: (directory, into, mayMount) => copyDirectory(join(directory, 'data'), join(into, 'data'), mayMount),
}
