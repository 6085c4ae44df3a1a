import { expect, test } from 'vitest'
import type { Meter } from '../meter.ts'
import type { NodeUsage, Usage } from '../rates.ts'
import { UsageHistory } from './history.ts'
import { Ring } from './ring.ts'

const of = (cpuCores: number, memoryBytes: number): Usage => ({ cpuCores, memoryBytes, timeMs: 0, windowMs: 1000 })
const quiet = { reads: 1, writes: 2, errors: 0, p50: 3, p99: 4 }

/** A meter whose nodes say what the test makes them say; one that is not listed does not answer. */
function meterOf(says: Record<string, NodeUsage | undefined>) {
  const asked: string[][] = []
  const meter: Meter = {
    ready: () => new Set(Object.keys(says)),
    usageOn: async (wanted) => {
      asked.push([...wanted])
      return new Map([...wanted].flatMap((name) => (says[name] ? [[name, says[name]] as const] : [])))
    },
  }
  return { meter, asked, says }
}

function historyOf(meter: Meter) {
  const clock = { nowMs: 1000 }
  const history = new UsageHistory({
    meter,
    traffic: () => quiet,
    now: () => clock.nowMs,
    keepMs: 3 * 30_000,
    onError: (error) => {
      throw error
    },
  })
  return { history, clock }
}

test('it remembers what nodes and pods used, and how the server answered', async () => {
  const containers = new Map([
    ['app', of(0.2, 100)],
    ['sidecar', of(0.3, 50)],
  ])
  const { meter, says } = meterOf({ n1: { node: of(1, 1000), pods: new Map([['web/a', containers]]) } })
  const { history, clock } = historyOf(meter)
  let told = 0
  history.onSample(() => told++)
  await history.sample()
  clock.nowMs = 31_000
  says.n1 = { node: of(2, 2000), pods: new Map() }
  await history.sample()
  expect(history.nodes.times).toEqual([1000, 31_000])
  expect(history.nodes.read('n1')).toEqual([
    [1, 2],
    [1000, 2000],
  ])
  expect(history.pods.read('web/a')).toEqual([
    [0.5, null],
    [150, null],
  ])
  expect([...history.pods.latest()]).toEqual([])
  expect([...history.requests.latest()]).toEqual([['server', [1, 2, 0, 3, 4]]])
  expect(told).toBe(2)
})

test('a node that does not answer is asked ever more seldom, and at once again when it did', async () => {
  const { meter, asked, says } = meterOf({ lost: undefined })
  const { history } = historyOf(meter)
  for (let i = 0; i < 8; i++) await history.sample()
  // Left alone for none, one, then three rounds.
  expect(asked.map((names) => names.length)).toEqual([1, 1, 0, 1, 0, 0, 0, 1])
  says.lost = { node: of(1, 1), pods: new Map() }
  for (let i = 0; i < 9; i++) await history.sample()
  expect(asked.slice(-2)).toEqual([['lost'], ['lost']])
})

test('a history that is stopped measures no more', async () => {
  const { meter, asked } = meterOf({})
  const { history } = historyOf(meter)
  history.start()
  await history.stop()
  expect(asked).toEqual([])
})

test('a ring forgets the oldest, and what has gone', () => {
  const ring = new Ring({ slots: 3, width: 1, mostThings: 2 })
  const push = (time: number, sample: Record<string, number>) =>
    ring.push(time, new Map(Object.entries(sample).map(([name, value]) => [name, [value]])))
  push(1, { a: 1, b: 10 })
  push(2, { a: 2 })
  push(3, { a: 3, c: 9 })
  push(4, { a: 4 })
  expect(ring.times).toEqual([2, 3, 4])
  expect(ring.read('a')).toEqual([[2, 3, 4]])
  expect(ring.read('b')).toEqual([[null, null, null]])
  expect([...ring.at(3)]).toEqual([['a', [3]]])
  expect([...ring.at(1)]).toEqual([])
  // There was no room for a third.
  expect(ring.read('c')).toBeUndefined()
  for (let time = 5; time < 25; time++) push(time, { a: time })
  expect(ring.size).toBe(1)
  push(25, { c: 1 })
  expect(ring.read('c')).toEqual([[null, null, 1]])
})
