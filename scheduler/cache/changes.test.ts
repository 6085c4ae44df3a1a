import { expect, test } from 'vitest'
import { Changes } from './changes.ts'

const since = (changes: Changes, then: number) => {
  const rows: number[] = []
  changes.since(then, (row) => rows.push(row))
  return rows
}

test('rows that have changed are visited once each', () => {
  const changes = new Changes()
  for (const row of [1, 2, 1]) changes.mark(row)
  const then = changes.now
  expect(since(changes, 0)).toEqual([2, 1])
  expect(since(changes, then)).toEqual([])
  for (const row of [2, 3, 2]) changes.mark(row)
  expect(since(changes, then)).toEqual([3, 2])
})

test('who has looked too long ago to remember it all misses none either', () => {
  const changes = new Changes()
  changes.mark(100)
  const then = changes.now
  for (let i = 0; i < 10_000; i++) changes.mark(i % 70)
  expect(since(changes, then)).toHaveLength(70)
  expect(since(changes, 0)).toHaveLength(71)
})
