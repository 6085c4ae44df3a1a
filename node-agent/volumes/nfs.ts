import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { isMountPoint } from './mount-points.ts'
import { mount } from './mounting.ts'
import { sourceOf, type VolumePlugin } from './types.ts'
import type { VolumeUsage } from './usage.ts'

/** A directory of an NFS server. Its files belong to whom the server says: the pod's group has no say. */
export const nfs: VolumePlugin = {
  name: 'kubernetes.io~nfs',
  handles: (spec) => sourceOf(spec).nfs !== undefined,
  async mount(spec, { directory, mayMount }) {
    const { server, path, readOnly = false } = sourceOf(spec).nfs ?? { server: '', path: '' }
    const mounted = { hostPath: directory, readOnly, ownedByPod: false }
    if (mayMount && (await isMountPoint(directory))) return mounted
    if (!mayMount) throw new Error('this node may not mount file systems')
    if (!(await hasProgram())) throw new Error('mount.nfs is not installed on this node (package nfs-common)')
    await mkdir(directory, { recursive: true, mode: 0o750 })
    const options = [
      ...(spec.persistent?.volume.spec?.mountOptions ?? []),
      ...(readOnly || spec.readOnly ? ['ro'] : []),
    ]
    await mount(directory, `${inBrackets(server)}:${path}`, { type: 'nfs', options }).catch(async (error: Error) => {
      // Asked afterwards: to mount it is what makes the kernel load it.
      if (await kernelKnows()) throw error
      throw new Error(`the kernel of this node has no NFS: ${error.message}`)
    })
    return mounted
  },
  usage: (_, __, { hostPath }) => remoteUsage(hostPath),
}

const inBrackets = (server: string): string =>
  server.includes(':') && !server.startsWith('[') ? `[${server}]` : server

async function hasProgram(): Promise<boolean> {
  const tries = ['/sbin', '/usr/sbin', '/usr/bin'].map((folder) => access(`${folder}/mount.nfs`, constants.X_OK))
  return (await Promise.allSettled(tries)).some(({ status }) => status === 'fulfilled')
}

const kernelKnows = async (): Promise<boolean> => /^nodev\tnfs4?$/m.test(await readFile('/proc/filesystems', 'utf8'))

/** Asked by another process: a server that does not answer holds up whoever asks, for ever. */
async function remoteUsage(path: string): Promise<VolumeUsage> {
  const { stdout } = await promisify(execFile)('stat', ['--file-system', '--format=%S %b %f %a %c %d', path])
  const [unit = 0, blocks = 0, free = 0, available = 0, inodes = 0, inodesFree = 0] = stdout.split(' ').map(Number)
  return {
    timeMs: Date.now(),
    capacityBytes: blocks * unit,
    usedBytes: (blocks - free) * unit,
    availableBytes: available * unit,
    inodes,
    inodesFree,
    inodesUsed: inodes - inodesFree,
  }
}
