import { expect, test } from 'vitest'
import { LineBuffer } from './line-buffer.ts'

const linesOf = (...pieces: string[]) => {
  const buffer = new LineBuffer()
  for (const piece of pieces) buffer.add(piece)
  return buffer.lines
}

test.each([
  [['a\nb\n'], ['a', 'b']],
  [
    ['a', 'b\nc'],
    ['ab', 'c'],
  ],
  [
    ['a\n', '\n', 'b\n'],
    ['a', '', 'b'],
  ],
  [
    ['a', '\n', 'b'],
    ['a', 'b'],
  ],
  [['', 'a\r\n', ''], ['a']],
  [['\u001b[31mred\u001b[0m\n'], ['red']],
])('%j is %j', (pieces, lines) => {
  expect(linesOf(...pieces)).toEqual(lines)
})

test('of a long log the end is kept', () => {
  const buffer = new LineBuffer()
  for (let i = 0; i < 60; i++) buffer.add('x\n'.repeat(1000))
  buffer.add('last\n')
  expect(buffer.lines.length).toBeLessThanOrEqual(55_001)
  expect(buffer.lines.at(-1)).toBe('last')
})
