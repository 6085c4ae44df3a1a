/**
 * Why a plugin refused a pod, with upstream's status codes. `Unschedulable` may be changed by removing pods from the
 * node; `UnschedulableAndUnresolvable` may not; `Pending` waits for somebody else. A plugin that throws has failed.
 */
export type RefusalCode = 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Pending'

export interface Refusal {
  readonly code: RefusalCode
  /** Each in upstream's words: people and tools search for them. */
  readonly reasons: readonly string[]
  readonly plugin: string
}

/** Most refusals carry no facts of the node: a plugin makes them once. */
export const refusal = (plugin: string, code: RefusalCode, ...reasons: string[]): Refusal => ({ code, reasons, plugin })
