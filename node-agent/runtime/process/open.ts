import type { Runtime, RuntimeOptions } from '../index.ts'
import { openLocalRuntime } from '../local/open.ts'
import { processBackend } from './backend.ts'

/** A runtime whose containers are processes of this machine, without isolation: for machines without containerd or root. */
export const openProcessRuntime = (options: RuntimeOptions): Promise<Runtime> =>
  openLocalRuntime(options, 'process', (dataDir) => processBackend(dataDir))
