import { expect, test } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { OwnWrites } from './own-writes.ts'

const clock = new FakeClock()

test('a write is awaited until the cache has it or something newer', () => {
  const writes = new OwnWrites(clock)
  expect(writes.seen('d', () => undefined)).toBe(true)
  writes.wrote('d', 'ns/a', '10')
  writes.wrote('d', 'ns/b', '100')
  const cache: Record<string, string> = { 'ns/a': '9' }
  const seen = () => writes.seen('d', (name) => cache[name])
  expect(seen()).toBe(false)
  cache['ns/a'] = '11'
  cache['ns/b'] = '99'
  expect(seen()).toBe(false)
  cache['ns/b'] = '100'
  expect(seen()).toBe(true)
})

test('what is gone is awaited no more', () => {
  const writes = new OwnWrites(clock)
  writes.wrote('d', 'ns/a', '10')
  writes.forget('d', 'ns/a')
  expect(writes.seen('d', () => undefined)).toBe(true)
})

test('a cache that never shows it is believed after a minute', async () => {
  const writes = new OwnWrites(clock)
  writes.wrote('d', 'ns/a', '10')
  await clock.advance(60_000)
  expect(writes.seen('d', () => undefined)).toBe(false)
  await clock.advance(1)
  expect(writes.seen('d', () => undefined)).toBe(true)
})
