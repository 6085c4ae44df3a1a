import { expect, test } from 'vitest'
import { inTheWay, parseChanges } from './label.ts'

test('what names objects comes first, then what changes', () => {
  expect(parseChanges(['pod', 'web-1', 'a=1', 'b='], 'labels')).toEqual({
    words: ['pod', 'web-1'],
    changes: { set: { a: '1', b: '' }, remove: [] },
  })
  expect(parseChanges(['pod/web', 'gone-'], 'labels').changes).toEqual({ set: {}, remove: ['gone'] })
})

test('what cannot be is refused', () => {
  expect(() => parseChanges(['pod', 'web', 'a=1', 'late'], 'labels')).toThrow(/before labels changes: late/)
  expect(() => parseChanges(['pod', 'web', 'a=1', 'a-'], 'labels')).toThrow(/both modify and remove a label/)
})

test('only another value is in the way', () => {
  expect(inTheWay({ a: '1', b: '2', c: '3' }, { set: { a: '1', b: '9' }, remove: ['c'] })).toEqual([['b', '2']])
})
