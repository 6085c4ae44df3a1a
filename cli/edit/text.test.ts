import { expect, test } from 'vitest'
import { editorText, hasContent } from './text.ts'

test('an object comes with what to do, and again with what was wrong', () => {
  const first = editorText({ kind: 'ConfigMap', data: { a: 'b' } })
  expect(first).toMatch(/^# Please edit/)
  const again = editorText(first, ['configmaps "x" was not valid:', '* data: no'])
  expect(again).toContain('# * data: no\n#\ndata:\n  a: b\n')
  expect(again.match(/Please edit/g)).toHaveLength(1)
  // And the problems of the time before are gone.
  expect(editorText(again, ['else'])).not.toContain('data: no')
})

test('comments alone are nothing', () => {
  expect(hasContent('# a\n\n#b\n')).toBe(false)
  expect(hasContent('# a\nkind: x\n')).toBe(true)
})
