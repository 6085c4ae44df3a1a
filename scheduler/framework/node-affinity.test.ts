import { expect, test } from 'vitest'
import type { NodeSelectorRequirement, NodeSelectorTerm } from '../../api/generated/types.ts'
import { nodeSelectorTest } from './node-affinity.ts'

const node = { name: 'a', labels: { disk: 'ssd', cores: '8', odd: 'x' } }
const label = (key: string, operator: string, ...values: string[]): NodeSelectorRequirement => ({
  key,
  operator,
  ...(values.length > 0 ? { values } : {}),
})
const labels = (...matchExpressions: NodeSelectorRequirement[]): NodeSelectorTerm => ({ matchExpressions })
const fields = (...matchFields: NodeSelectorRequirement[]): NodeSelectorTerm => ({ matchFields })

test.each<[boolean, string, NodeSelectorTerm[]]>([
  [true, 'a value among those named', [labels(label('disk', 'In', 'hdd', 'ssd'))]],
  [false, 'another value', [labels(label('disk', 'In', 'hdd'))]],
  [true, 'a value that is not among those named', [labels(label('disk', 'NotIn', 'hdd'))]],
  [true, 'no label where a value is ruled out', [labels(label('gpu', 'NotIn', 'old'))]],
  [true, 'a label that is there', [labels(label('disk', 'Exists'))]],
  [false, 'a label that must not be there', [labels(label('disk', 'DoesNotExist'))]],
  [true, 'a number that is larger', [labels(label('cores', 'Gt', '7'))]],
  [false, 'a number that is equal', [labels(label('cores', 'Gt', '8'))]],
  [true, 'a number that is smaller', [labels(label('cores', 'Lt', '9'))]],
  [false, 'a label that is no number', [labels(label('odd', 'Gt', '1'))]],
  [true, 'its name', [fields(label('metadata.name', 'In', 'a'))]],
  [false, 'the name of another', [fields(label('metadata.name', 'In', 'b'))]],
  [false, 'one of two requirements of a term', [labels(label('disk', 'Exists'), label('gpu', 'Exists'))]],
  [true, 'one of two terms', [labels(label('gpu', 'Exists')), labels(label('disk', 'Exists'))]],
  [false, 'a term without requirements', [{}]],
  [false, 'no term at all', []],
])('%s for %s', (expected, _what, nodeSelectorTerms) => {
  expect(nodeSelectorTest({ nodeSelectorTerms })(node)).toBe(expected)
})
