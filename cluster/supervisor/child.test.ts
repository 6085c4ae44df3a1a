import { expect, test } from 'vitest'
import { type ChildAction, type ChildEvent, type ChildState, step } from './child.ts'

/** Plays events at their times, and tells what was to be done after each. */
function play(events: readonly (readonly [number, ChildEvent])[]): { did: string[]; state: ChildState } {
  let state: ChildState = { phase: 'stopped' }
  const did: string[] = []
  for (const [atMs, event] of events) {
    const next = step('scheduler', state, event, atMs)
    state = next.state
    did.push(next.actions.map(brief).join(', '))
  }
  return { did, state }
}

function brief(action: ChildAction): string {
  if (action.type === 'wait') return `wait ${action.ms}`
  return action.type === 'say' ? action.text : action.type
}

const start = { type: 'start' } as const
const ready = { type: 'ready' } as const
const due = { type: 'due' } as const
const stop = { type: 'stop' } as const
const killed = { type: 'exited', how: 'SIGKILL' } as const

test('a child is started once, says when it is ready, and is ended when told', () => {
  const { did, state } = play([
    [0, start],
    [1, start],
    [2, ready],
    [3, ready],
    [4, stop],
    [5, stop],
    [6, { type: 'exited', how: 'exit 0' }],
  ])
  expect(did).toEqual(['spawn', '', 'report-ready', '', 'end', '', 'report-stopped'])
  expect(state).toEqual({ phase: 'stopped' })
})

test('a crashed child comes back, and both are said', () => {
  const { did } = play([
    [0, start],
    [10, ready],
    [20_000, killed],
    [20_100, due],
    [20_300, ready],
  ])
  expect(did.slice(2)).toEqual([
    'scheduler ended (SIGKILL); it comes back in 0.1 s, wait 100',
    'spawn',
    'scheduler is back, report-ready',
  ])
})

test('who crashes again and again waits longer, up to a bound, and starts anew after a healthy while', () => {
  const crashing: [number, ChildEvent][] = [
    [0, start],
    [1, ready],
  ]
  for (let i = 0; i < 9; i++) crashing.push([i * 2 + 2, killed], [i * 2 + 3, due])
  const waits = play(crashing).did.flatMap((text) => text.match(/wait (\d+)/)?.[1] ?? [])
  expect(waits.map(Number)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  const { did } = play([...crashing, [100, ready], [10_100, killed]])
  expect(did.at(-1)).toContain('wait 100')
})

test('who never comes up is given up after a few tries', () => {
  const { did, state } = play([
    [0, start],
    [1, killed],
    [2, due],
    [3, killed],
    [4, due],
    [5, killed],
  ])
  expect(did.at(-1)).toBe('give-up')
  expect(state).toEqual({ phase: 'stopped' })
})

test('who ran once is never given up', () => {
  const events: [number, ChildEvent][] = [
    [0, start],
    [1, ready],
  ]
  for (let i = 0; i < 20; i++) events.push([i + 2, killed], [i + 2, due])
  expect(play(events).did.join()).not.toContain('give-up')
})

test('one that waits for its return is not started after a stop', () => {
  const { did } = play([
    [0, start],
    [1, ready],
    [2, killed],
    [3, stop],
    [4, due],
  ])
  expect(did.slice(3)).toEqual(['report-stopped', ''])
})

test('one found running is adopted, and watched like any other', () => {
  const { did } = play([
    [0, { type: 'adopted' }],
    [5, killed],
    [6, due],
  ])
  expect(did).toEqual(['report-ready', expect.stringContaining('wait 100'), 'spawn'])
})
