import { expect, test } from 'vitest'
import { Traffic } from './traffic.ts'

const read = { verb: 'get', method: 'GET', subresource: '' }
const write = { verb: 'create', method: 'POST', subresource: '' }

test('reads, writes and errors are counted by the second, and begin anew with every look', () => {
  const traffic = new Traffic(0)
  for (let i = 0; i < 20; i++) traffic.observe(read, 200, 1)
  for (let i = 0; i < 10; i++) traffic.observe(write, i < 5 ? 201 : 503, 1)
  expect(traffic.take(10_000)).toMatchObject({ reads: 2, writes: 1, errors: 0.5 })
  expect(traffic.take(20_000)).toMatchObject({ reads: 0, writes: 0, errors: 0, p50: Number.NaN })
})

test('what lasts as long as its client likes does not count', () => {
  const traffic = new Traffic(0)
  traffic.observe({ ...read, verb: 'watch' }, 200, 60_000)
  traffic.observe({ ...read, subresource: 'log' }, 200, 60_000)
  expect(traffic.take(1000)).toMatchObject({ reads: 0 })
})

test('times are known to a third', () => {
  const traffic = new Traffic(0)
  for (let ms = 1; ms <= 100; ms++) traffic.observe(read, 200, ms)
  const { p50, p99 } = traffic.take(1000)
  expect(p50).toBeGreaterThan(50 / 1.35)
  expect(p50).toBeLessThan(50 * 1.35)
  expect(p99).toBeGreaterThan(99 / 1.35)
  expect(p99).toBeLessThan(99 * 1.35)
})

test.each([0, 0.25, 1e9])('a request of %d ms has a place', (ms) => {
  const traffic = new Traffic(0)
  traffic.observe(read, 200, ms)
  expect(traffic.take(1000).p50).toBeGreaterThanOrEqual(0)
})
