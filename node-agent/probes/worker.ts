import type { Probe } from '../../api/generated/types.ts'
import type { Clock } from '../../client/types.ts'
import type { ProbeVerdict } from '../pods/steps.ts'
import type { CheckResult } from './checks.ts'

export type ProbeType = 'liveness' | 'readiness' | 'startup'

export interface ProbeRun {
  type: ProbeType
  probe: Probe
  /** When the container was started; milliseconds since 1970. */
  startedAt: number
  /** Waits this long before the first check, beside the probe's own delay: not all at once after a restart of the agent. */
  staggerMs: number
  clock: Clock
  signal: AbortSignal
  check(): Promise<CheckResult>
  /** Resolves when the startup probe has succeeded; at once where there is none. */
  started(): Promise<void>
  /** A verdict is reached: enough results of one kind in a row. */
  decided(verdict: ProbeVerdict): void
  /** A regular check did not succeed. */
  complain(result: CheckResult): void
}

const firstEagerMs = 100

/**
 * Checks one container again and again until the signal fires. A liveness probe that has failed, and a startup probe that
 * is decided, stop: a new container gets a new run. Until a readiness or startup probe succeeds for the first time it is
 * also tried between its regular times, at growing distances; those tries never count as failures.
 */
export async function runProbe(run: ProbeRun): Promise<void> {
  const { type, probe, clock, signal } = run
  const periodMs = (probe.periodSeconds ?? 10) * 1000
  const tally = new Tally(probe.failureThreshold ?? 3, probe.successThreshold ?? 1)
  const delayMs = run.startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now()
  if (delayMs + run.staggerMs > 0) await clock.sleep(Math.max(0, delayMs) + run.staggerMs, signal)
  if (type !== 'startup') await run.started()
  let everWell = false
  for (let next = clock.now(); !signal.aborted; ) {
    next += periodMs
    const result = await run.check()
    if (signal.aborted) return
    if (result.verdict !== 'success') run.complain(result)
    everWell ||= isWell(result)
    let verdict = result.verdict === 'error' ? undefined : tally.add(isWell(result) ? 'success' : 'failure')
    if (verdict) run.decided(verdict)
    if (verdict && (type === 'startup' || (type === 'liveness' && verdict === 'failure'))) return
    if (!everWell && type !== 'liveness' && !probe.exec) {
      everWell = await tryEagerly(run, next)
      if (everWell) {
        verdict = tally.add('success')
        if (verdict) run.decided(verdict)
        if (verdict && type === 'startup') return
      }
    }
    // A check that took longer than the period is followed by the next at once, not by several.
    next = Math.max(next, clock.now())
    await clock.sleep(next - clock.now(), signal)
  }
}

const isWell = ({ verdict }: CheckResult): boolean => verdict === 'success' || verdict === 'warning'

/** Resolves to true as soon as a check succeeds, or to false when the next regular one is due. */
async function tryEagerly({ clock, signal, check }: ProbeRun, until: number): Promise<boolean> {
  for (let waitMs = firstEagerMs; clock.now() + waitMs < until && !signal.aborted; waitMs *= 2) {
    await clock.sleep(waitMs, signal)
    if (isWell(await check())) return !signal.aborted
  }
  return false
}

/** Counts results of one kind in a row. */
class Tally {
  readonly #failures: number
  readonly #successes: number
  #last: 'success' | 'failure' | undefined
  #run = 0

  constructor(failures: number, successes: number) {
    this.#failures = failures
    this.#successes = successes
  }

  /** The verdict, if the threshold is reached. */
  add(result: 'success' | 'failure'): 'success' | 'failure' | undefined {
    this.#run = result === this.#last ? this.#run + 1 : 1
    this.#last = result
    return this.#run >= (result === 'success' ? this.#successes : this.#failures) ? result : undefined
  }
}
