import { expect, test } from 'vitest'
import { backOffFault, backOffOfPod } from './crash-loop.ts'

test.each(['', '30', '0s', '999ms', '5m1s', '1h', 'soon', '-1s'])('%j is no wait between crashes', (text) => {
  expect(backOffFault(text)).toBe('must be a duration from 1s to 5m, such as 30s')
  expect(backOffOfPod({ 'gantry.dev/crash-loop-max-backoff': text })).toEqual({})
})

test('a pod names either wait, both or none', () => {
  expect(backOffFault('1m30s')).toBeUndefined()
  expect(backOffOfPod(undefined)).toEqual({})
  expect(
    backOffOfPod({ 'gantry.dev/crash-loop-initial-backoff': '1s', 'gantry.dev/crash-loop-max-backoff': '1m30s' }),
  ).toEqual({ initialMs: 1000, maxMs: 90_000 })
})
