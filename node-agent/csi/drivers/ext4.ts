import { readFile } from 'node:fs/promises'
import { command } from '../../volumes/mounting.ts'

/** An empty file system, all of it for its users: what is kept for root elsewhere is no use in a volume. */
export const makeExt4 = (image: string): Promise<void> => command('mkfs.ext4', ['-q', '-F', '-m', '0', image])

/** Lets a mounted file system fill its device. */
export const growMounted = (device: string): Promise<void> => command('resize2fs', [device])

/** The same for one that nobody has mounted; it is looked over first, as the tool wants it. */
export async function growUnmounted(image: string): Promise<void> {
  // 1: faults were found, and mended.
  await command('sh', ['-c', 'e2fsck -f -p "$1" || [ $? -eq 1 ]', 'check', image])
  await command('resize2fs', [image])
}

const sysResource = 24n

/** Whether the kernel lets this process grow a mounted ext4: it asks for CAP_SYS_RESOURCE, which some machines withhold. */
export async function canGrowMounted(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8')
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return ((capabilities >> sysResource) & 1n) === 1n
}
