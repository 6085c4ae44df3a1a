import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { isMountPoint } from './mount-points.ts'
import { command, mount } from './mounting.ts'

/**
 * Mounts a device, which is given a file system first if there is nothing on it at all. What is on it already is never
 * overwritten: a file system of another kind than `fsType` makes the mount fail. Does nothing where it is mounted already.
 */
export async function formatAndMount(
  device: string,
  target: string,
  { fsType = '', options = [], readOnly = false }: { fsType?: string; options?: readonly string[]; readOnly?: boolean },
): Promise<void> {
  if (await isMountPoint(target)) return
  await mkdir(target, { recursive: true, mode: 0o750 })
  const type = fsType || 'ext4'
  const present = await contentOf(device)
  if (present === '') {
    if (readOnly) throw new Error(`cannot mount unformatted disk ${device} as we are manipulating it in read-only mode`)
    await command(`mkfs.${type}`, [...(flags[type] ?? []), device])
  } else if (fsType !== '' && present !== fsType) {
    throw new Error(`failed to mount the volume as ${JSON.stringify(fsType)}, it already contains ${present}`)
  }
  await mount(target, device, { type, options: [...options, ...(readOnly ? ['ro'] : [])] })
}

/** Without asking back, and without keeping room for root alone. */
const flags: Record<string, readonly string[]> = {
  ext2: ['-F', '-m0'],
  ext3: ['-F', '-m0'],
  ext4: ['-F', '-m0'],
  xfs: ['-f'],
}

/** What blkid sees on the device: the type of a file system, `unknown data, probably partitions`, or '' for nothing. */
function contentOf(device: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('blkid', ['-p', '-s', 'TYPE', '-s', 'PTTYPE', '-o', 'export', device], (error, stdout, stderr) => {
      const { code } = (error ?? {}) as { code?: number | string }
      // Two: nothing that it knows is there.
      if (code === 2) return resolve('')
      if (error) return reject(new Error(`blkid cannot tell what is on ${device}: ${stderr.trim() || error.message}`))
      const found = new Map(stdout.split('\n').map((line) => line.split('=', 2) as [string, string]))
      if (found.has('PTTYPE')) return resolve('unknown data, probably partitions')
      resolve(found.get('TYPE') ?? '')
    })
  })
}
