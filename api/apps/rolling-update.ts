import type { IntOrString } from '../generated/types.ts'
import { percentOf } from '../machinery/int-or-string.ts'

/** The plain number, or the number before the percent sign: enough to tell whether it is zero. */
export const amountOf = (value: IntOrString | undefined): number =>
  typeof value === 'number' ? value : (percentOf(value) ?? Number(value ?? 0)) || 0
