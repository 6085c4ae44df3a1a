import { describe, expect, test } from 'vitest'
import { pod, t0 } from '../testing/build.ts'
import { isActive, isAvailable, isTerminating, untilNextAvailableMs } from './condition.ts'

describe('a pod', () => {
  test.each([
    ['running', pod(), true, false],
    ['pending', pod({ phase: 'Pending' }), true, false],
    ['being deleted', pod({ deleted: 1 }), false, true],
    ['that has failed', pod({ phase: 'Failed' }), false, false],
    ['that has failed and is being deleted', pod({ phase: 'Failed', deleted: 1 }), false, false],
    ['that is done', pod({ phase: 'Succeeded' }), false, false],
  ])('%s is active or terminating', (_, it, active, terminating) => {
    expect([isActive(it), isTerminating(it)]).toEqual([active, terminating])
  })

  test.each([
    ['not ready', pod(), 0, 100, false],
    ['ready, no wait asked', pod({ ready: 100 }), 0, 100, true],
    ['ready too short', pod({ ready: 95 }), 10, 100, false],
    ['ready just long enough', pod({ ready: 90 }), 10, 100, true],
  ])('%s is available', (_, it, minReadySeconds, second, available) => {
    expect(isAvailable(it, minReadySeconds, t0 + second * 1000)).toBe(available)
  })

  test('the next one to become available is known beforehand', () => {
    const pods = [pod(), pod({ ready: 98 }), pod({ ready: 95 }), pod({ ready: 1 })]
    expect(untilNextAvailableMs(pods, 10, t0 + 100_000)).toBe(5000)
    expect(untilNextAvailableMs(pods, 0, t0 + 100_000)).toBeUndefined()
    expect(untilNextAvailableMs([pod({ ready: 1 })], 10, t0 + 100_000)).toBeUndefined()
  })
})
