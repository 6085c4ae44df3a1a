import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Turns } from '../../volumes/turns.ts'
import type { Methods } from '../server.ts'
import { builtInInfo } from '../topology.ts'
import type { DriverContext, DriverOptions } from './context.ts'
import { controllerMethods } from './controller.ts'
import type { VolumeKind } from './kind.ts'
import { nodeMethods } from './node.ts'
import { snapshotMethods } from './snapshots.ts'
import { DriverStore } from './store.ts'

/** All rpcs of a driver of ours. Everything it knows is on disk, so it may end at any moment. */
export async function driverMethods(kind: VolumeKind, options: DriverOptions): Promise<Methods> {
  const { directory, nodeName } = options
  await mkdir(directory, { recursive: true, mode: 0o750 })
  const context: DriverContext = {
    ...options,
    kind,
    volumes: new DriverStore(join(directory, 'volumes')),
    snapshots: new DriverStore(join(directory, 'snapshots')),
    lock: new Turns(),
  }
  await Promise.all([context.volumes.open(), context.snapshots.open()])
  return {
    GetPluginInfo: () => ({ name: kind.driver, vendorVersion: '1' }),
    GetPluginCapabilities: () => ({
      capabilities: [
        { service: { type: 'CONTROLLER_SERVICE' } },
        { service: { type: 'VOLUME_ACCESSIBILITY_CONSTRAINTS' } },
        { volumeExpansion: { type: 'ONLINE' } },
      ],
    }),
    Probe: () => ({ ready: { value: true } }),
    NodeGetInfo: () => builtInInfo(nodeName),
    ...controllerMethods(context),
    ...snapshotMethods(context),
    ...nodeMethods(context),
  }
}
