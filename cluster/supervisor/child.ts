/** One supervised process as a state machine: what happened goes in, what to do comes out. It never looks at a clock. */

export type ChildState =
  | { phase: 'starting'; crashes: number; startedMs: number; everReady: boolean }
  | { phase: 'running'; crashes: number; startedMs: number; everReady: true }
  /** Ended, and comes back when its time has come. */
  | { phase: 'waiting'; crashes: number; everReady: boolean }
  | { phase: 'stopping' }
  | { phase: 'stopped' }

export type ChildEvent =
  | { type: 'start' }
  /** It was found running: somebody else started it before. */
  | { type: 'adopted' }
  | { type: 'ready' }
  | { type: 'exited'; how: string }
  /** The time that a `wait` action asked for has passed. */
  | { type: 'due' }
  | { type: 'stop' }

export type ChildAction =
  | { type: 'spawn' }
  | { type: 'wait'; ms: number }
  /** Ask it to end, and end it by force when it has not after its grace. */
  | { type: 'end' }
  | { type: 'say'; text: string }
  /** It is not coming up at all: the operator has to look. */
  | { type: 'give-up'; how: string }
  | { type: 'report-ready' }
  | { type: 'report-stopped' }

export interface Step {
  state: ChildState
  actions: ChildAction[]
}

/** The first return is quick: most crashes are alone, and whoever waits should not notice. */
export const firstBackoffMs = 100
export const longestBackoffMs = 10_000
/** Who has run for so long starts from the shortest back-off again. */
const healthyAfterMs = 10_000
/** A process that has never come up is given up after so many tries. */
const firstTries = 3

/** What `event` makes of a child. An event that means nothing in its state changes nothing. */
export function step(name: string, state: ChildState, event: ChildEvent, nowMs: number): Step {
  switch (event.type) {
    case 'start':
      if (state.phase !== 'stopped') return { state, actions: [] }
      return {
        state: { phase: 'starting', crashes: 0, startedMs: nowMs, everReady: false },
        actions: [{ type: 'spawn' }],
      }
    case 'adopted':
      return {
        state: { phase: 'running', crashes: 0, startedMs: nowMs, everReady: true },
        actions: [{ type: 'report-ready' }],
      }
    case 'ready':
      return ready(name, state)
    case 'exited':
      return exited(name, state, event.how, nowMs)
    case 'due':
      if (state.phase !== 'waiting') return { state, actions: [] }
      return {
        state: { phase: 'starting', crashes: state.crashes, startedMs: nowMs, everReady: state.everReady },
        actions: [{ type: 'spawn' }],
      }
    case 'stop':
      return stop(state)
  }
}

function ready(name: string, state: ChildState): Step {
  if (state.phase !== 'starting') return { state, actions: [] }
  const back: ChildAction[] = state.everReady ? [{ type: 'say', text: `${name} is back` }] : []
  return { state: { ...state, phase: 'running', everReady: true }, actions: [...back, { type: 'report-ready' }] }
}

function exited(name: string, state: ChildState, how: string, nowMs: number): Step {
  if (state.phase === 'stopping') return { state: { phase: 'stopped' }, actions: [{ type: 'report-stopped' }] }
  if (state.phase !== 'starting' && state.phase !== 'running') return { state, actions: [] }
  const crashes = nowMs - state.startedMs >= healthyAfterMs ? 1 : state.crashes + 1
  if (!state.everReady && crashes >= firstTries) {
    return { state: { phase: 'stopped' }, actions: [{ type: 'give-up', how }] }
  }
  const ms = Math.min(firstBackoffMs * 2 ** (crashes - 1), longestBackoffMs)
  return {
    state: { phase: 'waiting', crashes, everReady: state.everReady },
    actions: [
      { type: 'say', text: `${name} ended (${how}); it comes back in ${ms / 1000} s` },
      { type: 'wait', ms },
    ],
  }
}

function stop(state: ChildState): Step {
  switch (state.phase) {
    case 'starting':
    case 'running':
      return { state: { phase: 'stopping' }, actions: [{ type: 'end' }] }
    case 'waiting':
    case 'stopped':
      return { state: { phase: 'stopped' }, actions: [{ type: 'report-stopped' }] }
    case 'stopping':
      return { state, actions: [] }
  }
}
