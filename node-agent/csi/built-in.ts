import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Methods } from './server.ts'

/** A driver that the agent brings along. Nothing of it is loaded before it is asked for something. */
export interface BuiltInDriver {
  readonly name: string
  /** Programs that it runs; without them the node does not offer it. */
  readonly programs: readonly string[]
  readonly mustMount: boolean
  load(options: { directory: string; nodeName: string; mayMount: boolean }): Promise<Methods>
}

const builtInDrivers: readonly BuiltInDriver[] = [
  {
    name: 'local-path.gantry.dev',
    programs: [],
    mustMount: false,
    load: async (options) => {
      const [{ driverMethods }, { localPath }] = await Promise.all([
        import('./drivers/methods.ts'),
        import('./drivers/local-path.ts'),
      ])
      return driverMethods(localPath, options)
    },
  },
  {
    name: 'loop.gantry.dev',
    programs: ['losetup', 'mkfs.ext4', 'resize2fs', 'fsfreeze'],
    mustMount: true,
    load: async (options) => {
      const [{ driverMethods }, { loop }] = await Promise.all([
        import('./drivers/methods.ts'),
        import('./drivers/loop.ts'),
      ])
      return driverMethods(loop, options)
    },
  },
]

/** Whether a name is that of a driver of ours, which nobody else may take. */
export const isBuiltIn = (name: string): boolean => builtInDrivers.some((driver) => driver.name === name)

/** Those of our drivers that can work on this machine. */
export async function usableDrivers(mayMount: boolean): Promise<BuiltInDriver[]> {
  const usable = await Promise.all(
    builtInDrivers.map(async ({ mustMount, programs }) => {
      if (mustMount && !mayMount) return false
      if (mustMount && !(await exists('/dev/loop-control'))) return false
      return (await Promise.all(programs.map(isInstalled))).every((found) => found)
    }),
  )
  return builtInDrivers.filter((_, i) => usable[i])
}

async function isInstalled(program: string): Promise<boolean> {
  const places = (process.env.PATH ?? '').split(delimiter)
  return (await Promise.all(places.map((place) => exists(join(place, program), constants.X_OK)))).includes(true)
}

const exists = (path: string, mode = constants.F_OK): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  )
