import { humanDuration } from '../../api/machinery/print.ts'
import { type DryRun, dryRunSuffix } from '../dry-run.ts'
import type { UndoPlan } from './plan.ts'

/** What is said of an object that was undone, or that would have been. */
export function undoneText(
  { step, to, undone }: Exclude<UndoPlan, { step: 'refuse' }>,
  nowMs: number,
  dryRun: DryRun,
): string {
  const isTried = dryRun !== 'none'
  const ago = undone?.time ? `, ${humanDuration(nowMs - Date.parse(undone.time))} ago` : ''
  const by = undone?.user ? ` by ${undone.user}${ago}` : ''
  const as = `as it was at revision ${to.revision}`
  const text =
    step === 'create'
      ? `created again ${as}: it was deleted${by}`
      : undone
        ? isTried
          ? `undone: the change${by} taken back, and the object ${as}`
          : `undone: the change${by} is taken back (revision ${to.revision})`
        : `taken back to revision ${to.revision}`
  return isTried ? `would be ${text}${dryRunSuffix(dryRun)}` : text
}
