import type { Result } from './load.ts'
import type { FanOut } from './watchers.ts'

/** The head of the table that {@link row} continues. */
export const heading = [
  'what'.padEnd(34),
  'per s'.padStart(8),
  'p50 ms'.padStart(8),
  'p99 ms'.padStart(8),
  'errors'.padStart(6),
  'MB out'.padStart(7),
  'cpu s'.padStart(6),
  'MB'.padStart(5),
].join(' ')

/** One line of the table. */
export function row(what: Result | FanOut): string {
  if ('watchers' in what) return fanRow(what)
  return [
    what.name.padEnd(34),
    what.perSecond.toFixed(what.perSecond < 100 ? 1 : 0).padStart(8),
    what.p50Ms.toFixed(2).padStart(8),
    what.p99Ms.toFixed(2).padStart(8),
    String(what.errors).padStart(6),
    what.megabytes.toFixed(0).padStart(7),
    what.cpuSeconds.toFixed(1).padStart(6),
    what.memoryMb.toFixed(0).padStart(5),
  ].join(' ')
}

function fanRow(fan: FanOut): string {
  const all = `${fan.delivered} of ${fan.expected} events, ${fan.perSecond.toFixed(0)}/s`
  const late = `lag p50 ${fan.lagP50Ms.toFixed(0)} ms, p99 ${fan.lagP99Ms.toFixed(0)} ms`
  return `  ${fan.watchers} watchers: ${all}, ${late}; ${fan.closedEarly} closed early, ${fan.skipped} skipped, ${fan.repeated} repeated`
}
