import { vi } from 'vitest'

/** A condition that a busy machine is late with is late, not wrong: the default is a second. */
const timeoutMs = 20_000
const patient = Symbol.for('gantry.patient')

// Files of one worker share what is set here.
if (!Object.hasOwn(vi, patient)) {
  const { waitFor } = vi
  const waitLonger: typeof waitFor = (callback, options) =>
    waitFor(callback, typeof options === 'number' ? options : { timeout: timeoutMs, ...options })
  Object.assign(vi, { waitFor: waitLonger, [patient]: true })
}
