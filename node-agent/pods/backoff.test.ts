import { describe, expect, test } from 'vitest'
import { BackOff } from './backoff.ts'

/** The waits after each of so many failures in a row, each told at once. */
function waits(count: number, limits?: { initialMs?: number; maxMs?: number }): number[] {
  const backOff = new BackOff()
  let now = 0
  return Array.from({ length: count }, () => {
    backOff.next('pod/c', now, now, limits)
    const wait = backOff.remaining('pod/c', now, now)
    now += wait
    return wait
  })
}

describe('the wait before a failed container is started again', () => {
  test('doubles from ten seconds to five minutes', () => {
    expect(waits(7)).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
  })

  test('stays within what a pod asks for', () => {
    expect(waits(4, { maxMs: 30_000 })).toEqual([10_000, 20_000, 30_000, 30_000])
    expect(waits(3, { maxMs: 2000 })).toEqual([2000, 2000, 2000])
    expect(waits(4, { initialMs: 1000, maxMs: 5000 })).toEqual([1000, 2000, 4000, 5000])
  })

  test('is the first again after ten quiet minutes', () => {
    const backOff = new BackOff()
    backOff.next('pod/c', 0, 0)
    backOff.next('pod/c', 10_000, 20_000)
    backOff.next('pod/c', 630_001, 640_000)
    expect(backOff.current('pod/c')).toBe(10_000)
  })
})
