import { mkdir, realpath, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMountPoint, mountTable } from '../../volumes/mount-points.ts'
import { command, unmountAll } from '../../volumes/mounting.ts'
import { CsiError } from '../errors.ts'
import type { NodeStageVolumeRequest } from '../messages.ts'
import { copyPatience } from './copy-directory.ts'
import { canGrowMounted, growMounted, growUnmounted, makeExt4 } from './ext4.ts'
import type { HeldVolume, VolumeKind } from './kind.ts'
import { attach, detach, devicesOf } from './loop-devices.ts'

const imageIn = (directory: string): string => join(directory, 'image')

/** A sparse file of the node as a block device, with ext4 on it unless it is handed out as it is. */
export const loop: VolumeKind = {
  driver: 'loop.gantry.dev',
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
  nodeCapabilities: ['STAGE_UNSTAGE_VOLUME', 'GET_VOLUME_STATS', 'EXPAND_VOLUME'],
  offersBlock: true,
  fileSystems: ['ext4'],
  async make(directory, { capacityBytes }, copyOf) {
    if (copyOf === undefined) await writeFile(imageIn(directory), '', { mode: 0o600 })
    else await copyImage(copyOf, directory)
    await truncate(imageIn(directory), capacityBytes)
  },
  async release(directory) {
    const devices = await devicesOf(await imagePath(directory))
    const table = await mountTable()
    const mounted = table.find(({ source }) => devices.includes(source))
    if (mounted) throw new CsiError('FAILED_PRECONDITION', `the volume is still mounted at ${mounted.path}`)
    await detach(await imagePath(directory))
  },
  async grow({ directory }, bytes) {
    if ((await stat(imageIn(directory))).size < bytes) await truncate(imageIn(directory), bytes)
    return true
  },
  async stage(volume, request) {
    if (volume.record.block) await attach(await imagePath(volume.directory))
    else await mountImage(volume, request)
  },
  async unstage(directory, stagingPath) {
    await unmountAll(stagingPath)
    if (directory !== undefined) await detach(await imagePath(directory))
  },
  async sourceOf({ record, directory }, { stagingTargetPath }) {
    if (record.block) return attach(await imagePath(directory))
    if (await isMountPoint(stagingTargetPath)) return stagingTargetPath
    throw new CsiError('FAILED_PRECONDITION', `the volume is not staged at ${stagingTargetPath}`)
  },
  growOnNode: growInUse,
  copy: copyImage,
}

/** As the kernel knows it. */
const imagePath = async (directory: string): Promise<string> => imageIn(await realpath(directory))

async function mountImage(volume: HeldVolume, { stagingTargetPath, volumeCapability }: NodeStageVolumeRequest) {
  const image = await imagePath(volume.directory)
  // A file system that is being made when the process is killed is made anew: nothing is in it yet.
  if (volume.record.fileSystemBytes === 0) {
    await makeExt4(image)
    await volume.save({ fileSystemBytes: volume.record.capacityBytes })
  }
  await mkdir(stagingTargetPath, { recursive: true, mode: 0o750 })
  if (await isMountPoint(stagingTargetPath)) return
  const isToGrow = volume.record.fileSystemBytes < volume.record.capacityBytes
  if (isToGrow && !(await canGrowMounted())) {
    await growUnmounted(image)
    await volume.save({ fileSystemBytes: volume.record.capacityBytes })
  }
  const flags = volumeCapability?.mount?.mountFlags ?? []
  // With its device in one step, and the device goes with the mount: nothing can be left between the two.
  await command('mount', ['-t', 'ext4', '-o', ['loop', ...flags].join(','), image, stagingTargetPath])
  if (isToGrow) await growInUse(volume)
}

/** Makes the device, and the file system on it, as large as the volume. */
async function growInUse(volume: HeldVolume): Promise<void> {
  const { block, fileSystemBytes, capacityBytes } = volume.record
  const [device] = await devicesOf(await imagePath(volume.directory))
  if (!device) throw new CsiError('FAILED_PRECONDITION', 'the volume is not in use on this node')
  await command('losetup', ['--set-capacity', device])
  if (block || fileSystemBytes >= capacityBytes) return
  if (!(await canGrowMounted())) {
    const why = 'CAP_SYS_RESOURCE is missing on this node, so that no ext4 grows while it is mounted'
    throw new CsiError(
      'FAILED_PRECONDITION',
      `${why}: the volume grows when no pod uses it any more and one does again`,
    )
  }
  await growMounted(device)
  await volume.save({ fileSystemBytes: capacityBytes })
}

const frozenCopy = `
  set -e
  trap 'fsfreeze -u "$1"' EXIT
  trap 'exit 1' TERM INT HUP
  fsfreeze -f "$1"
  cp --reflink=auto --sparse=always "$2" "$3"`

/**
 * Copies an image from one directory to another, sharing its blocks where the disk can. One that is mounted stands still
 * meanwhile: the shell that does it lets go of it in the end even if this process is gone by then.
 */
async function copyImage(from: string, to: string): Promise<void> {
  const image = await imagePath(from)
  const devices = await devicesOf(image)
  const mounted = (await mountTable()).find(({ source }) => devices.includes(source))
  if (mounted) await command('sh', ['-c', frozenCopy, 'copy', mounted.path, image, imageIn(to)], copyPatience)
  else await command('cp', ['--reflink=auto', '--sparse=always', image, imageIn(to)], copyPatience)
}
