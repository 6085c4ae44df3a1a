import { expect, test } from 'vitest'
import { merged, mergePatchOf } from './merge-patch.ts'

const before = { a: 1, b: { c: 2, d: [1, 2] }, gone: true }
const after = { a: 1, b: { c: 3, d: [2] }, made: { e: 4 } }

test('a patch holds only what has changed, and makes the one into the other', () => {
  const patch = mergePatchOf(before, after)
  expect(patch).toEqual({ b: { c: 3, d: [2] }, gone: null, made: { e: 4 } })
  expect(merged(before, patch)).toEqual(after)
})

test('what is the same needs none', () => {
  expect(mergePatchOf(before, structuredClone(before))).toBeUndefined()
})
