import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Pacer } from './pacer.ts'

describe('rounds of work', () => {
  test('are few however many requests come, and the last request is never lost', async () => {
    let wanted = 0
    const done: number[] = []
    const pacer = new Pacer(
      async () => {
        const at = wanted
        await delay(5)
        done.push(at)
      },
      () => {},
      { settleMs: 2, gapMs: 10 },
    )
    while (wanted < 1000) {
      wanted += 1
      pacer.request()
      if (wanted % 50 === 0) await delay(1)
    }
    await expect.poll(() => done.at(-1)).toBe(1000)
    expect(done.length).toBeLessThan(50)
    await pacer.stop()
  })

  test('that fail are tried again, and the failure is told', async () => {
    const errors: unknown[] = []
    let rounds = 0
    const pacer = new Pacer(
      async () => {
        rounds += 1
        if (rounds < 3) throw new Error(`round ${rounds}`)
      },
      (error) => errors.push(error),
      { settleMs: 1, gapMs: 1, retryMs: 1 },
    )
    pacer.request()
    await expect.poll(() => rounds).toBe(3)
    expect(errors.map(String)).toEqual(['Error: round 1', 'Error: round 2'])
    await pacer.stop()
  })

  test('end with the stop, also while a retry is waited for', async () => {
    const pacer = new Pacer(
      async () => {
        throw new Error('no')
      },
      () => {},
      { settleMs: 1, retryMs: 60_000 },
    )
    pacer.request()
    await delay(20)
    const before = performance.now()
    await pacer.stop()
    expect(performance.now() - before).toBeLessThan(5000)
  })
})
