import { beforeEach, expect, test } from 'vitest'
import { Collector } from './collector.ts'

let nowMs: number
let asked: string[]
let failing: boolean
let told: string[]
let waiting: (() => void)[]
let collector: Collector

beforeEach(() => {
  nowMs = 1_000_000
  asked = []
  failing = false
  told = []
  waiting = []
  collector = new Collector({
    async sample(node) {
      asked.push(node)
      if (node.startsWith('slow')) await new Promise<void>((resolve) => waiting.push(resolve))
      if (failing) throw new Error('gone')
      // A quarter of a core.
      return { node: { timeMs: nowMs, cpuSeconds: nowMs / 4000, memoryBytes: 1 }, pods: new Map() }
    },
    now: () => nowMs,
    async sleep(ms) {
      nowMs += ms
    },
    onError: (error, node) => told.push(`${node}: ${(error as Error).message}`),
  })
})

const coresOf = async (node: string) => (await collector.usageOf([node])).get(node)?.node

test('the first who asks waits for a second sample; who follows has the time between', async () => {
  expect(await coresOf('a')).toMatchObject({ cpuCores: 0.25, windowMs: 1000 })
  expect(asked).toEqual(['a', 'a'])
  nowMs += 15_000
  expect(await coresOf('a')).toMatchObject({ cpuCores: 0.25, windowMs: 15_000 })
  expect(asked).toEqual(['a', 'a', 'a'])
})

test('nothing is asked again at once', async () => {
  await coresOf('a')
  nowMs += 2999
  expect(await coresOf('a')).toMatchObject({ windowMs: 1000 })
  expect(asked).toHaveLength(2)
})

test('after a long pause the old sample says nothing of now', async () => {
  await coresOf('a')
  nowMs += 60_000
  expect(await coresOf('a')).toMatchObject({ windowMs: 1000 })
  expect(asked).toHaveLength(4)
})

test('who asks at the same time shares the answer', async () => {
  const answers = await Promise.all([coresOf('a'), coresOf('a'), coresOf('a')])
  expect(answers[2]).toMatchObject({ cpuCores: 0.25 })
  expect(asked).toEqual(['a', 'a'])
})

test('not more than so many nodes are asked at once', async () => {
  const names = Array.from({ length: 50 }, (_, i) => `slow${i}`)
  const all = collector.usageOf(names)
  await new Promise((resolve) => setImmediate(resolve))
  expect(asked).toHaveLength(32)
  let done = false
  const finished = all.then((usage) => {
    done = true
    return usage
  })
  while (!done) {
    for (const next of waiting.splice(0)) next()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect((await finished).size).toBe(50)
})

test('a node that cannot be asked is missing, told once, and not asked by everybody', async () => {
  failing = true
  expect(await coresOf('a')).toBeUndefined()
  expect(await coresOf('a')).toBeUndefined()
  expect(asked).toEqual(['a'])
  nowMs += 5000
  await coresOf('a')
  expect(told).toEqual(['a: gone'])
  failing = false
  nowMs += 5000
  expect(await coresOf('a')).toMatchObject({ cpuCores: 0.25 })
})

test('an agent that has not measured since is asked for more than its last sample', async () => {
  const at = nowMs
  const lazy = new Collector({
    // It measures every ten seconds.
    sample: async () => {
      const timeMs = Math.floor(nowMs / 10_000) * 10_000
      return { node: { timeMs, cpuSeconds: timeMs / 4000, memoryBytes: 1 }, pods: new Map() }
    },
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms
    },
    onError: () => {},
  })
  const cores = async () => (await lazy.usageOf(['a'])).get('a')?.node
  expect(await cores()).toBeUndefined()
  nowMs = at + 8000
  expect(await cores()).toBeUndefined()
  nowMs = at + 12_000
  expect(await cores()).toMatchObject({ cpuCores: 0.25, windowMs: 10_000 })
})
