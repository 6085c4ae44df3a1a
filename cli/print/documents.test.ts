import { expect, test } from 'vitest'
import { toJson } from './documents.ts'

test('fields are in order, and what means something in HTML is escaped', () => {
  expect(toJson({ b: '<a href="x">&</a>\u2028', a: 1, none: undefined })).toBe(
    '{\n    "a": 1,\n    "b": "\\u003ca href=\\"x\\"\\u003e\\u0026\\u003c/a\\u003e\\u2028"\n}\n',
  )
})
