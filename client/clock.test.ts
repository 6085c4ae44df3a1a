import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from './clock.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const dayMs = 24 * 60 * 60_000

test.each([1, 24, 25, 60])('a sleep of %d days takes as long', async (days) => {
  let ended = false
  void systemClock.sleep(days * dayMs).then(() => {
    ended = true
  })
  await vi.advanceTimersByTimeAsync(days * dayMs - 1)
  expect(ended).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(ended).toBe(true)
})

test('a long sleep is ended by its signal at any time', async () => {
  const abort = new AbortController()
  const sleep = systemClock.sleep(60 * dayMs, abort.signal)
  sleep.catch(() => {})
  await vi.advanceTimersByTimeAsync(30 * dayMs)
  abort.abort(new Error('enough'))
  await expect(sleep).rejects.toThrow('enough')
  expect(vi.getTimerCount()).toBe(0)
})
