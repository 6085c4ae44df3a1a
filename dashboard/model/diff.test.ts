import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DiffLine, diffLines, withContext } from './diff.ts'

const marks = { same: ' ', removed: '-', added: '+' }
const shown = (lines: readonly (DiffLine | undefined)[]) =>
  lines.map((line) => (line ? `${marks[line.kind]}${line.text}` : '…'))
const text = (...lines: string[]) => lines.join('\n')

describe('what differs', () => {
  test('is shown where it is', () => {
    expect(shown(diffLines(text('a', 'b', 'c'), text('a', 'x', 'c', 'd')))).toEqual([' a', '-b', '+x', ' c', '+d'])
  })

  test('is as little as can be', () => {
    const lines = diffLines(text('a', 'b', 'c', 'a', 'b', 'b', 'a'), text('c', 'b', 'a', 'b', 'a', 'c'))
    expect(lines.filter(({ kind }) => kind !== 'same')).toHaveLength(5)
  })

  test('leads from the one text to the other', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((all) => all.join('\n'))
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after)
        const without = (kind: DiffLine['kind']) =>
          diff
            .filter((line) => line.kind !== kind)
            .map((line) => line.text)
            .join('\n')
        expect([without('added'), without('removed')]).toEqual([before, after])
      }),
    )
  })
})

test('what is far from a difference is left out', () => {
  const before = Array.from({ length: 9 }, (_, i) => String(i)).join('\n')
  expect(shown(withContext(diffLines(before, before.replace('4', 'x')), 1))).toEqual(['…', ' 3', '-4', '+x', ' 5', '…'])
})
