import { expect, test } from 'vitest'
import { parseAt } from './at.ts'

const nowMs = Date.parse('2026-11-28T10:00:00Z')

test.each([
  ['48213', { revision: 48_213 }],
  ['10m', { timeMs: nowMs - 600_000 }],
  ['1h30m', { timeMs: nowMs - 5_400_000 }],
  ['2d', { timeMs: nowMs - 172_800_000 }],
  ['2026-11-28T09:59:59Z', { timeMs: nowMs - 1000 }],
  ['yesterday', undefined],
  ['', undefined],
  ['-5m', undefined],
])('reads %j', (text, at) => {
  expect(parseAt(text, nowMs)).toEqual(at)
})
