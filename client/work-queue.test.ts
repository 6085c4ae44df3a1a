import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock } from './testing/fake-clock.ts'
import { WorkQueue } from './work-queue.ts'

describe('a work queue', () => {
  it('holds a key once, and gives it out again when it was added while worked on', async () => {
    const queue = new WorkQueue()
    queue.add('a')
    queue.add('a')
    queue.add('b')
    expect(queue.length).toBe(2)
    expect(await queue.get()).toBe('a')
    queue.add('a')
    expect(await queue.get()).toBe('b')
    expect(queue.length).toBe(0)
    queue.done('a')
    expect(await queue.get()).toBe('a')
  })

  it('wakes who waits, and tells them when there will be no more', async () => {
    const queue = new WorkQueue()
    const [first, second] = [queue.get(), queue.get()]
    queue.add('a')
    expect(await first).toBe('a')
    queue.shutDown()
    expect(await second).toBeUndefined()
    queue.add('b')
    expect(await queue.get()).toBeUndefined()
  })

  it('of two waits for a key the shorter counts', async () => {
    const clock = new FakeClock()
    const queue = new WorkQueue({ clock })
    queue.addAfter('a', 1000)
    queue.addAfter('a', 100)
    queue.addAfter('a', 5000)
    await clock.advance(99)
    expect(queue.length).toBe(0)
    await clock.advance(1)
    expect(queue.length).toBe(1)
    await clock.advance(10_000)
    expect(queue.length).toBe(1)
  })

  it('doubles the wait with every failure, up to a limit, and forgets', async () => {
    const clock = new FakeClock()
    const queue = new WorkQueue({ clock, baseDelayMs: 10, maxDelayMs: 35 })
    for (const wait of [10, 20, 35, 35]) {
      queue.addRateLimited('a')
      await clock.advance(wait - 1)
      expect(queue.length).toBe(0)
      await clock.advance(1)
      queue.done((await queue.get()) as string)
    }
    expect(queue.retries('a')).toBe(4)
    queue.forget('a')
    queue.addRateLimited('a')
    await clock.advance(10)
    expect(queue.length).toBe(1)
  })

  it('never gives one key to two workers, and loses none', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat({ max: 3 })), { maxLength: 60 }),
        async (steps) => {
          const queue = new WorkQueue()
          const busy = new Set<string>()
          const seen = new Map<string, number>()
          let step = 0
          const lastAdd = new Map<string, number>()
          const worker = async () => {
            for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
              expect(busy.has(key)).toBe(false)
              busy.add(key)
              seen.set(key, step)
              await new Promise((resolve) => setImmediate(resolve))
              busy.delete(key)
              queue.done(key)
            }
          }
          const workers = [worker(), worker(), worker()]
          for (const [key, waits] of steps) {
            step++
            lastAdd.set(key, step)
            queue.add(key)
            for (let i = 0; i < waits; i++) await new Promise((resolve) => setImmediate(resolve))
          }
          while (queue.length > 0 || busy.size > 0) await new Promise((resolve) => setImmediate(resolve))
          queue.shutDown()
          await Promise.all(workers)
          for (const [key, at] of lastAdd) expect(seen.get(key)).toBeGreaterThanOrEqual(at)
        },
      ),
      { numRuns: 100 },
    )
  })
})
