import { expect, test } from 'vitest'
import { Lru } from './lru.ts'

test('an LRU forgets what was used longest ago', () => {
  const lru = new Lru<number, string>(2)
  lru.set(1, 'a')
  lru.set(2, 'b')
  lru.get(1)
  lru.set(3, 'c')
  expect([lru.get(1), lru.get(2), lru.get(3), lru.size]).toEqual(['a', undefined, 'c', 2])
})
