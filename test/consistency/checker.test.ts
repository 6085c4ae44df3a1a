import { expect, test } from 'vitest'
import type { WatchEvent } from './client.ts'
import { faultsOf, type History, type ReadRecord, type WriteRecord } from './history.ts'

// A checker that finds nothing proves nothing, unless it finds what is there.

const event = (type: WatchEvent['type'], version: number, value = '', key = 'k'): WatchEvent => ({
  type,
  object: { metadata: { name: key, resourceVersion: String(version) }, data: { value } },
})
const write = (value: string, version: number, startedAt: number): WriteRecord => ({
  ...{ key: 'k', value, version },
  ...{ startedAt, endedAt: startedAt + 1 },
})
const read = (value: string | undefined, version: number | undefined, startedAt: number): ReadRecord => ({
  ...{ key: 'k', value, version },
  ...{ startedAt, endedAt: startedAt + 1 },
})
const three = () => [event('ADDED', 2, 'a'), event('MODIFIED', 3, 'b'), event('DELETED', 4, 'b')]
const sound = (): History => ({
  writes: [write('a', 2, 0), write('b', 3, 10)],
  reads: [read('a', 2, 5), read('b', 3, 15), read(undefined, undefined, 25)],
  watches: [
    { name: 'one', connections: [{ from: 1, events: three() }] },
    {
      name: 'two',
      connections: [
        { from: 1, events: three().slice(0, 1) },
        { from: 2, events: [...three().slice(1), event('BOOKMARK', 9)] },
      ],
    },
  ],
})

test('a sound history has no faults', () => {
  expect(faultsOf(sound())).toEqual([])
})

test.each<[string, (history: History) => unknown, RegExp]>([
  [
    'an event that one watcher missed',
    ({ watches }) => watches[0]?.connections[0]?.events.splice(1, 1),
    /missed k at 3/,
  ],
  ['a gap behind a bookmark', ({ watches }) => watches[1]?.connections[1]?.events.splice(1, 1), /missed k at 4/],
  [
    'an event twice',
    ({ watches }) => watches[0]?.connections[0]?.events.splice(1, 0, event('ADDED', 2, 'a')),
    /ADDED at 2 after 2/,
  ],
  ['events out of order', ({ watches }) => watches[0]?.connections[0]?.events.reverse(), /at 3 after 4/],
  [
    'what a reconnect had shown already',
    ({ watches }) => watches[1]?.connections[1]?.events.unshift(event('ADDED', 2, 'a')),
    /ADDED at 2 after 2/,
  ],
  [
    'watchers that disagree',
    ({ watches }) => watches[0]?.connections[0]?.events.splice(1, 1, event('MODIFIED', 3, 'x')),
    /another/,
  ],
  ['an acknowledged write that nobody saw', ({ writes }) => writes.push(write('c', 5, 30)), /is in no watch/],
  [
    'one value acknowledged and another seen',
    ({ writes }) => writes.splice(1, 1, write('x', 3, 10)),
    /was acknowledged/,
  ],
  ['two writes at one version', ({ writes }) => writes.push(write('b', 3, 11)), /at one version/],
  ['a write that went back in time', ({ writes }) => writes.splice(0, 1, write('a', 2, 30)), /after 3 had been/],
  ['a read of the past', ({ reads }) => reads.push(read('a', 2, 16)), /had been acknowledged before it began/],
  ['a read of the future', ({ reads }) => reads.push(read('b', 3, 2)), /not yet written/],
  ['a read of what was never written there', ({ reads }) => reads.push(read('z', 3, 16)), /was written there/],
  [
    'an object that was overlooked',
    ({ reads, watches }) => {
      for (const { connections } of watches)
        for (const { events } of connections) events.splice(events.findIndex(({ type }) => type === 'DELETED') >>> 0, 1)
      reads.push(read(undefined, undefined, 16))
    },
    /though 3 stood/,
  ],
  [
    'a value from nowhere',
    ({ watches }) => {
      for (const { connections } of watches) connections.at(-1)?.events.push(event('ADDED', 10, 'ghost'))
    },
    /nobody wrote/,
  ],
])('it finds %s', (_name, spoil, fault) => {
  const history = sound()
  spoil(history)
  expect(faultsOf(history).join('\n')).toMatch(fault)
})
