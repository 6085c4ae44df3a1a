import { expect, test } from 'vitest'
import type { Taint, Toleration } from '../../api/generated/types.ts'
import { tolerates, untoleratedTaint } from './tolerations.ts'

const taint: Taint = { key: 'team', value: 'blue', effect: 'NoSchedule' }

test.each<[boolean, string, Toleration]>([
  [true, 'the same key, value and effect', { key: 'team', operator: 'Equal', value: 'blue', effect: 'NoSchedule' }],
  [true, 'no operator, which means equal', { key: 'team', value: 'blue' }],
  [false, 'another value', { key: 'team', value: 'red' }],
  [true, 'a key that may have any value', { key: 'team', operator: 'Exists' }],
  [true, 'no key, which tolerates everything', { operator: 'Exists' }],
  [false, 'another effect', { key: 'team', operator: 'Exists', effect: 'NoExecute' }],
  [false, 'another key', { key: 'squad', operator: 'Exists' }],
  [false, 'a comparison, which needs a feature that is off', { key: 'team', operator: 'Gt', value: '1' }],
])('%s for %s', (expected, _what, toleration) => {
  expect(tolerates([toleration], taint)).toBe(expected)
})

test('soft taints keep nobody off', () => {
  expect(untoleratedTaint([{ ...taint, effect: 'PreferNoSchedule' }], [])).toBeUndefined()
  expect(untoleratedTaint([taint, { key: 'x', effect: 'NoExecute' }], [{ key: 'team', operator: 'Exists' }])?.key).toBe(
    'x',
  )
})
