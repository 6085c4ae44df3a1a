import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { command } from '../../volumes/mounting.ts'

/** The devices that show this file, by their paths; usually one or none. */
export async function devicesOf(image: string): Promise<string[]> {
  const names = (await readdir('/sys/block')).filter((name) => name.startsWith('loop'))
  const found = await Promise.all(
    names.map(async (name) => {
      const file = await readFile(join('/sys/block', name, 'loop/backing_file'), 'utf8').catch(() => '')
      return file.trimEnd() === image ? [`/dev/${name}`] : []
    }),
  )
  return found.flat()
}

/** The device of the file, made if there is none. */
export async function attach(image: string): Promise<string> {
  const [known] = await devicesOf(image)
  if (known) return known
  await command('losetup', ['--find', image])
  const [made] = await devicesOf(image)
  if (!made) throw new Error(`no loop device shows ${image}`)
  return made
}

/** Takes the file's devices away; one that is still in use goes when it no longer is. */
export async function detach(image: string): Promise<void> {
  for (const device of await devicesOf(image)) {
    await command('losetup', ['--detach', device]).catch(async (error: Error) => {
      // The kernel is taking it away already, as it does with the last unmount: for a moment the file is still shown.
      if (!error.message.includes('No such device or address') || !(await isSoonGone(image, device))) throw error
    })
  }
}

async function isSoonGone(image: string, device: string): Promise<boolean> {
  for (let look = 0; look < 50; look++) {
    if (!(await devicesOf(image)).includes(device)) return true
    await setTimeout(20)
  }
  return false
}
