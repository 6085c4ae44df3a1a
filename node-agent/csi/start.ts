import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Node } from '../../api/generated/types.ts'
import type { EventRecorder } from '../../client/events.ts'
import type { Logger } from '../../client/logger.ts'
import type { Api, Clock, Live } from '../../client/types.ts'
import { CsiVolumes } from '../volumes/csi.ts'
import { usableDrivers } from './built-in.ts'
import { CsiNodePublisher } from './csi-node.ts'
import { CsiDrivers } from './drivers.ts'
import { followRegistry, type PluginHandler } from './registration.ts'
import type { Relay } from './relay.ts'

export interface StorageOptions {
  api: Api
  clock: Clock
  log: Logger
  events: Pick<EventRecorder, 'event'>
  nodeName: string
  rootDir: string
  podsDirectory: string
  mayMount: boolean
  /** Who has to do with plugins that are no storage drivers, by their type. */
  otherPlugins?: ReadonlyMap<string, PluginHandler>
  signal: AbortSignal
  node(): Live<Node> | undefined
  inUseChanged(): void
  refresh(podUid: string): void
}

/** The storage drivers of a node, and what the rest of the agent needs of them. */
export interface NodeStorage {
  volumes: CsiVolumes
  relay: Relay
  /** The watch has a newer version of the node. */
  seen(node: Live<Node>): void
  /** Registers drivers and tells the API of them until the signal fires. */
  run(): Promise<void>
  stop(): void
}

/** Brings together the drivers of this node: ours that can work here, at once, and others as they register. */
export async function startStorage(options: StorageOptions): Promise<NodeStorage> {
  const { rootDir, nodeName, mayMount, otherPlugins: others, clock, log, signal } = options
  const pluginsDirectory = join(rootDir, 'plugins')
  await mkdir(pluginsDirectory, { recursive: true, mode: 0o750 })
  const drivers = new CsiDrivers()
  for (const driver of await usableDrivers(mayMount)) {
    drivers.addBuiltIn(driver, { pluginsDirectory, nodeName, mayMount })
  }
  const publisher = new CsiNodePublisher({ ...options, drivers })
  const volumes = new CsiVolumes({ ...options, drivers, pluginsDirectory })
  await volumes.recall()
  return {
    volumes,
    relay: {
      drivers,
      expanded: (driver, volumeId) => {
        volumes.expanded(driver, volumeId).catch((error) => {
          if (!signal.aborted) log.warn({ err: error, driver, volumeId }, 'a volume that has grown is not looked after')
        })
      },
    },
    seen: (node) => publisher.seen(node),
    async run() {
      const directory = join(rootDir, 'plugins_registry')
      await Promise.all([
        publisher.run(),
        followRegistry({ directory, drivers, ...(others ? { others } : {}), clock, log, signal }),
      ])
    },
    stop: () => drivers.stop(),
  }
}
