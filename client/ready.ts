import { closeSync, writeSync } from 'node:fs'

/**
 * Tells whoever started this process that it does its work from now on: one line of JSON to the descriptor that
 * GANTRY_READY_FD names. Does nothing where none is named. Only the first call speaks.
 */
export function announceReady(facts: Record<string, string | number> = {}): void {
  const descriptor = Number(process.env.GANTRY_READY_FD)
  // What this process starts must not take it for its own.
  delete process.env.GANTRY_READY_FD
  if (!Number.isInteger(descriptor) || descriptor < 3) return
  try {
    writeSync(descriptor, `${JSON.stringify(facts)}\n`)
    closeSync(descriptor)
  } catch {
    // Whoever wanted to know is gone; the work goes on.
  }
}
