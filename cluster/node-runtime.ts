import { join } from 'node:path'
import { silentLogger } from '../client/logger.ts'
import { openRuntime, type Runtime } from '../node-agent/runtime/index.ts'
import type { Layout } from './layout.ts'
import { thisMachine } from './runtime-choice.ts'
import type { Settings } from './settings.ts'

/** The runtime of a node whose agent does not run, for as long as `work` takes; it gets the runtime's directory, too. */
export async function withNodeRuntime<T>(
  layout: Layout,
  { runtime: kind }: Settings,
  nodeName: string,
  work: (runtime: Runtime, dataDir: string) => Promise<T>,
): Promise<T> {
  const root = layout.node(nodeName)
  const dataDir = join(root, 'runtime')
  const stop = new AbortController()
  const runtime = await openRuntime({
    kind,
    dataDir,
    nodeName,
    cniConfDir: join(root, 'net.d'),
    cniBinDir: thisMachine().cniBinDir ?? '',
    signal: stop.signal,
    log: silentLogger,
  })
  try {
    return await work(runtime, dataDir)
  } finally {
    stop.abort()
    await runtime.stop()
  }
}
