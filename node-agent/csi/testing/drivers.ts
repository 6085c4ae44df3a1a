import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unmountAll } from '../../volumes/mounting.ts'
import { usableDrivers } from '../built-in.ts'
import { CsiDrivers } from '../drivers.ts'
import type { VolumeCapability } from '../messages.ts'

export const mib = 1024 * 1024

/** A directory of a test that goes with all that is mounted below it. */
export function testDirectory(name: string): { path: string; remove(): Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), `gantry-${name}-`))
  return {
    path,
    async remove() {
      await unmountAll(path)
      await rm(path, { recursive: true, force: true })
    },
  }
}

/** The drivers of ours that work on this machine, as the agent has them. */
export async function builtInDrivers(rootDir: string, { mayMount = true } = {}): Promise<CsiDrivers> {
  const drivers = new CsiDrivers()
  for (const driver of await usableDrivers(mayMount)) {
    drivers.addBuiltIn(driver, { pluginsDirectory: join(rootDir, 'plugins'), nodeName: 'n1', mayMount })
  }
  return drivers
}

/** Whether this machine has what loop volumes need. */
export const hasLoop =
  process.getuid?.() === 0 && (await usableDrivers(true)).some(({ name }) => name === 'loop.gantry.dev')

export const mountCapability = (mode: NonNullable<VolumeCapability['accessMode']>['mode'] = 'SINGLE_NODE_WRITER') => ({
  mount: { fsType: '' },
  accessMode: { mode },
})

export const blockCapability: VolumeCapability = { block: {}, accessMode: { mode: 'SINGLE_NODE_WRITER' } }
