import type { Runtime, RuntimeOptions } from '../index.ts'
import { openLocalRuntime } from '../local/open.ts'
import { hollowBackend } from './backend.ts'

/** A runtime without processes: what it is asked to run counts as running. For trying out scale. */
export const openHollowRuntime = (options: RuntimeOptions): Promise<Runtime> =>
  openLocalRuntime(options, 'hollow', (dataDir) => hollowBackend(dataDir, options.hollowStartMs ?? 0))
