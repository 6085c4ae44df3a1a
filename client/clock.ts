import { maxTimerMs } from '../api/machinery/timers.ts'
import type { Clock } from './types.ts'

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      let timer: NodeJS.Timeout
      // A timer that is to take longer than it can takes none: next year's cron job would be looked at without pause.
      const wait = (leftMs: number) => {
        timer = setTimeout(
          () => {
            if (leftMs > maxTimerMs) return wait(leftMs - maxTimerMs)
            signal?.removeEventListener('abort', onAbort)
            resolve()
          },
          Math.min(leftMs, maxTimerMs),
        )
      }
      wait(ms)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  },
}
