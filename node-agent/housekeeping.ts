import type { EventRecorder } from '../client/events.ts'
import type { Logger } from '../client/logger.ts'
import type { Clock } from '../client/types.ts'
import { memoryKeeper } from './give-back.ts'
import type { ImageGarbage } from './images/garbage.ts'
import type { KeptLogs } from './logs/kept-logs.ts'
import { Nap } from './pods/nap.ts'
import type { Cri } from './runtime/cri.ts'
import { rotateLogs } from './server/log-rotation.ts'

const logsMs = 30_000
const memoryMs = 20_000
const imagesMs = 300_000
const devicesMs = 60_000

/** Keeps logs short, images few and this process small, until the signal fires. */
export async function keepHouse(options: {
  clock: Clock
  log: Logger
  cri: Cri
  recorder: Pick<EventRecorder, 'event'>
  nodeName: string
  garbage: ImageGarbage
  keptLogs: Pick<KeptLogs, 'prune'>
  /** Gives back the devices of pods that are gone. */
  releaseDevices: () => Promise<void>
  signal: AbortSignal
}): Promise<void> {
  const { clock, log, cri, recorder, nodeName, garbage, keptLogs, releaseDevices, signal } = options
  const about = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName }
  const every = async (ms: number, work: () => Promise<unknown>): Promise<void> => {
    const nap = new Nap(clock, signal)
    for (await nap.rest(ms); !signal.aborted; await nap.rest(ms)) {
      await work().catch((error) => log.warn({ err: error }, 'housekeeping failed and is tried again later'))
    }
  }
  const giveBack = memoryKeeper()
  await Promise.all([
    every(memoryMs, async () => giveBack()),
    every(logsMs, () => rotateLogs({ cri, log })),
    every(logsMs, () => keptLogs.prune()),
    every(devicesMs, releaseDevices),
    every(imagesMs, () =>
      garbage.run().catch((error: Error) => {
        recorder.event(about, 'Warning', 'ImageGCFailed', error.message)
        throw error
      }),
    ),
  ])
}
