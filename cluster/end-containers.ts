import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { openRuntime } from '../node-agent/runtime/index.ts'
import { nodeNames } from './components.ts'
import type { Layout } from './layout.ts'
import type { Settings } from './settings.ts'

/** How long a container may take to end when its cluster does, in seconds. */
const graceSeconds = 5

/** Ends every container of a cluster whose agents have ended, and the runtimes that ran them. Returns how many there were. */
export async function endContainers(layout: Layout, settings: Settings): Promise<number> {
  const counts = await Promise.all(
    nodeNames(settings.nodes).map((name) => endContainersOf(join(layout.node(name), 'runtime'), name, settings)),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

async function endContainersOf(dataDir: string, nodeName: string, { runtime: kind }: Settings): Promise<number> {
  if (!existsSync(dataDir)) return 0
  const stop = new AbortController()
  const runtime = await openRuntime({
    kind,
    dataDir,
    nodeName,
    cniConfDir: join(dataDir, '../net.d'),
    cniBinDir: '/usr/lib/cni',
    signal: stop.signal,
    log: pino({ level: 'silent' }),
  })
  try {
    const { cri } = runtime
    const sandboxes = await cri.listPodSandbox({})
    const containers = await cri.listContainers({ state: 'CONTAINER_RUNNING' })
    await Promise.all(containers.map(({ id }) => cri.stopContainer(id, graceSeconds)))
    await Promise.all(
      sandboxes.map(async ({ id }) => {
        await cri.stopPodSandbox(id)
        await cri.removePodSandbox(id)
      }),
    )
    return sandboxes.length
  } finally {
    stop.abort()
    await runtime.stop()
  }
}
