import { afterEach, expect, test } from 'vitest'
import type { Node } from '../../api/generated/types.ts'
import { nodes } from '../../client/resources.ts'
import { type Running, run } from '../testing/run.ts'
import { newTtlController, stepFor } from './controller.ts'

let running: Running
afterEach(() => running?.stop())

test.each([
  [100, 0, 0],
  [101, 0, 1],
  [95, 1, 1],
  [89, 1, 0],
  [3000, 0, 4],
  [1799, 4, 3],
])('a cluster of %i nodes goes from step %i to step %i', (count, from, to) => {
  expect(stepFor(count, from)).toBe(to)
})

test('each node is told for how long it may keep what it has read, and all are told anew when the cluster grows', async () => {
  running = await run(newTtlController)
  const { api, clock } = running
  const add = (i: number) => api.create<Node>(nodes, { metadata: { name: `n${i}` } })
  const told = () =>
    new Set(api.objects<Node>(nodes).map(({ metadata }) => metadata.annotations?.['node.alpha.kubernetes.io/ttl']))
  for (let i = 0; i < 100; i++) await add(i)
  await clock.advance(100)
  expect([...told()]).toEqual(['0'])
  await add(100)
  await clock.advance(100)
  expect([...told()]).toEqual(['15'])
})
