import { expect, test } from 'vitest'
import { annotationsField, indent, labelsField, listed, longTime, tabled } from './lines.ts'

test('values stand below each other, the first beside the label', () => {
  expect(labelsField('Labels', { b: '2', a: '1' })).toEqual(['Labels:\ta=1', '\tb=2'])
  expect(listed('Taints', [])).toEqual(['Taints:\t<none>'])
})

test('annotations: what is long or of several lines begins on a line of its own, what apply remembers is left out', () => {
  const annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    lines: 'one\ntwo\n',
    long: 'x'.repeat(200),
    short: 'y',
  }
  expect(annotationsField('Annotations', annotations)).toEqual([
    'Annotations:\tlines:',
    '\t  one',
    '\t  two',
    '\tlong:',
    `\t  ${'x'.repeat(138)}...`,
    '\tshort: y',
  ])
})

test('a table has a rule below each word of its header', () => {
  expect(indent(tabled(['Type', 'Age'], [['Normal', 5]]))).toEqual(['  Type\tAge', '  ----\t---', '  Normal\t5'])
})

test('times are long, and those that never were are of the year one', () => {
  expect(longTime('2026-11-28T03:04:05Z')).toMatch(/^\w{3}, \d\d Nov 2026 \d\d:\d4:05 [+-]\d{4}$/)
  expect(longTime(undefined)).toBe('Mon, 01 Jan 0001 00:00:00 +0000')
})
