import type { ControllerEntry } from './types.ts'

/** Every controller, in upstream's names. The order is that of the start. */
export const controllers: readonly ControllerEntry[] = []
