import { expect, test } from 'vitest'
import { slowStart } from './slow-start.ts'

test.each([
  ['all succeed', 10, Number.POSITIVE_INFINITY, 10, 10],
  ['the first fails: one call', 500, 0, 1, 0],
  ['the sixth fails: its batch of four is the last', 500, 5, 7, 5],
  ['nothing to do', 0, 0, 0, 0],
])('%s', async (_, count, limit, calls, successes) => {
  let called = 0
  const result = await slowStart(count, async () => {
    if (called++ >= limit) throw new Error('no more')
  })
  expect({ called, successes: result.successes }).toEqual({ called: calls, successes })
  expect(result.error).toEqual(successes === count ? undefined : new Error('no more'))
})

test('batches double', async () => {
  let running = 0
  const widths: number[] = []
  await slowStart(12, async () => {
    running++
    await Promise.resolve()
    widths.push(running)
    await Promise.resolve()
    running--
  })
  expect(Math.max(...widths)).toBe(5)
})
