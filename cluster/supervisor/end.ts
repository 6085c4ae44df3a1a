import { setTimeout as delay } from 'node:timers/promises'
import { isRunning, type ProcessRecord } from './records.ts'

const lookEveryMs = 20

/**
 * Asks the process of a record to end, by force when it still runs after `graceMs`, and resolves when it is gone. A
 * process that has got the same id since is left alone.
 */
export async function endProcess(
  record: Pick<ProcessRecord, 'pid' | 'startTime'>,
  { signal = 'SIGTERM' as NodeJS.Signals, graceMs = 10_000 } = {},
): Promise<void> {
  if (!send(record, signal)) return
  const deadline = performance.now() + graceMs
  let forced = false
  while (isRunning(record)) {
    if (!forced && performance.now() > deadline) {
      forced = true
      send(record, 'SIGKILL')
    }
    await delay(lookEveryMs)
  }
}

function send(record: Pick<ProcessRecord, 'pid' | 'startTime'>, signal: NodeJS.Signals): boolean {
  if (!isRunning(record)) return false
  try {
    process.kill(record.pid, signal)
    return true
  } catch (error) {
    // It ended in between.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
