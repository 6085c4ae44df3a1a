import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countIndexes, firstCommonIndex } from './indexes.ts'

describe('indexes of a job', () => {
  it.each([
    ['', 0],
    ['0', 1],
    ['1,3-5,7', 5],
  ])('%j are %d', (text, count) => {
    expect(countIndexes(text, 10)).toBe(count)
  })

  it.each([
    ['10', 'too large index: "10"'],
    ['3,3', 'non-increasing order, previous: 3, current: 3'],
    ['5-3', 'non-increasing order, previous: 5, current: 3'],
    ['a', 'cannot convert string to integer for index: "a"'],
    [
      '1-2-3',
      `the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by '-'`,
    ],
  ])('%j is refused: %s', (text, message) => {
    expect(() => countIndexes(text, 10)).toThrow(message)
  })

  it('in common are found as a comparison one by one finds them', () => {
    const set = fc.uniqueArray(fc.nat(20)).map((items) => items.sort((a, b) => a - b))
    fc.assert(
      fc.property(set, set, (a, b) => {
        const common = a.find((index) => b.includes(index))
        expect(firstCommonIndex(a.join(','), b.join(','), 21)).toBe(common)
      }),
    )
  })
})
