import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { objectDiff } from './object-diff.ts'

describe('a diff of objects', () => {
  it('is empty when nothing changed, whatever the order of fields', () => {
    expect(objectDiff({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe('')
  })

  it('shows changed lines with their surroundings', () => {
    const before = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9, j: 10, k: 11 }
    expect(objectDiff(before, { ...before, a: 0, k: 12 })).toBe(
      [
        '@@ -1,5 +1,5 @@',
        ' {',
        '-  "a": 1,',
        '+  "a": 0,',
        '   "b": 2,',
        '   "c": 3,',
        '   "d": 4,',
        '@@ -9,5 +9,5 @@',
        '   "h": 8,',
        '   "i": 9,',
        '   "j": 10,',
        '-  "k": 11',
        '+  "k": 12',
        ' }',
        '',
      ].join('\n'),
    )
  })

  it('has every removed and every added line once', () => {
    const objects = fc.dictionary(fc.constantFrom(...'abcdefgh'), fc.nat(3), { noNullPrototype: true })
    fc.assert(
      fc.property(objects, objects, (a, b) => {
        const signed = objectDiff(a, b).split('\n')
        const lines = (value: object) => JSON.stringify(value, undefined, 2).split('\n').length
        const removed = signed.filter((line) => line.startsWith('-')).length
        const added = signed.filter((line) => line.startsWith('+')).length
        expect(added - removed).toBe(lines(b) - lines(a))
      }),
    )
  })
})
