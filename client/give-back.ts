import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const worthBytes = 8 * 2 ** 20

/**
 * Gives memory back to the machine that a burst of work has left behind. V8 collects when it needs room, and a program at
 * rest never does: call this now and then. Does nothing unless the process has grown since the last time.
 */
export function memoryKeeper(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let before = process.memoryUsage.rss()
  return () => {
    if (process.memoryUsage.rss() < before + worthBytes) return
    collect()
    before = process.memoryUsage.rss()
  }
}
