import { mkdir, realpath, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { formatAndMount } from './block-device.ts'
import { fsGroupOf, giveToGroup } from './fs-group.ts'
import { isMountPoint, otherMountsOf } from './mount-points.ts'
import { bind, unmountAll } from './mounting.ts'
import { Turns } from './turns.ts'
import { type Mounted, MountFailure, type VolumeContext, type VolumePlugin, type VolumeSpec } from './types.ts'
import { fileSystemUsage } from './usage.ts'

/** Pods come and go on one volume at the same time, and the first and the last of them have more to do. */
const turns = new Turns()

/**
 * A directory or a disk of this very machine, as an administrator has made it a persistent volume. A disk is formatted if
 * it is empty, mounted once, and bound into each pod; as a block volume the pod is given the disk itself.
 */
export const local: VolumePlugin = {
  name: 'kubernetes.io~local-volume',
  handles: ({ persistent }) => persistent?.volume.spec?.local !== undefined,
  mount: (spec, context) =>
    turns.take(spec.name, () => (spec.mode === 'Block' ? device(spec) : fileSystem(spec, context))),
  usage: async ({ mode }, _, { hostPath }) => (mode === 'Block' ? undefined : fileSystemUsage(hostPath)),
  async unmount(place) {
    if (place.mode === 'Block') return
    await turns.take(place.name, async () => {
      await unmountAll(place.directory)
      const shared = sharedPlace(place)
      if (!(await isMountPoint(shared)) || (await otherMountsOf(shared)).length > 0) return
      await unmountAll(shared)
      await rmdir(shared)
    })
  },
}

/** Where a disk is mounted, for all pods of the node. */
const sharedPlace = ({ pluginsDirectory, name }: { pluginsDirectory: string; name: string }): string =>
  join(pluginsDirectory, 'kubernetes.io', 'local-volume', 'mounts', name)

const sourceOf = ({ persistent }: VolumeSpec) => persistent?.volume.spec?.local ?? { path: '' }

async function found(spec: VolumeSpec, step: string) {
  const { path } = sourceOf(spec)
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new MountFailure(step, `path ${JSON.stringify(path)} does not exist`)
  })
}

async function device(spec: VolumeSpec): Promise<Mounted> {
  const { path } = sourceOf(spec)
  if (!(await found(spec, 'MapVolume.NewBlockVolumeMapper initialization')).isBlockDevice()) {
    throw new Error(`path ${JSON.stringify(path)} is not a block device`)
  }
  return { hostPath: await realpath(path), readOnly: false, ownedByPod: false }
}

async function fileSystem(spec: VolumeSpec, context: VolumeContext): Promise<Mounted> {
  const { path, fsType } = sourceOf(spec)
  const { directory, pod, mayMount } = context
  const kind = await found(spec, 'MountVolume.NewMounter initialization')
  const group = fsGroupOf(pod)
  const mounted = { hostPath: directory, readOnly: false, ownedByPod: group !== undefined }
  if (!mayMount) {
    if (!kind.isDirectory()) throw new Error('this node may not mount disks')
    return { ...mounted, hostPath: path, ownedByPod: false }
  }
  if (await isMountPoint(directory)) return mounted
  // First: what is found there leads whoever takes the pod away to the disk.
  await mkdir(directory, { recursive: true, mode: 0o750 })
  let source = path
  if (kind.isBlockDevice()) {
    source = sharedPlace(context)
    const options = spec.persistent?.volume.spec?.mountOptions ?? []
    await formatAndMount(await realpath(path), source, { ...(fsType ? { fsType } : {}), options }).catch((error) => {
      throw new MountFailure('MountVolume.MountDevice', `local: failed to mount device ${path}: ${error.message}`)
    })
  } else if (!kind.isDirectory()) {
    throw new MountFailure('MountVolume.MountDevice', 'only directory and block device are supported')
  }
  const isFirst = (await otherMountsOf(source)).length === 0
  if (group !== undefined && !isFirst) warnOfOtherGroup(spec, context, group, (await stat(source)).gid)
  await bind(directory, source)
  // Once: another pod may be at work with it.
  if (group !== undefined && isFirst) {
    await giveToGroup(directory, group, pod.spec.securityContext?.fsGroupChangePolicy)
  }
  return mounted
}

function warnOfOtherGroup({ name }: VolumeSpec, { warn }: VolumeContext, group: number, present: number): void {
  if (group === present) return
  const facts = `The requested fsGroup is ${group}, but the volume ${name} has GID ${present}`
  warn('AlreadyMountedVolume', `${facts}. The volume may not be shareable.`)
}
