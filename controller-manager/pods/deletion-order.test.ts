import { describe, expect, test } from 'vitest'
import { pod, t0 } from '../testing/build.ts'
import { podsToDelete } from './deletion-order.ts'

const now = t0 + 100_000_000
const cost = (value: string) => ({ 'controller.kubernetes.io/pod-deletion-cost': value })
const settled = { node: 'n', ready: 0 }

describe('of two pods goes first', () => {
  test.each([
    ['the one without a node', pod({ name: 'first' }), pod({ name: 'z', node: 'n', phase: 'Pending' })],
    ['the pending one', pod({ name: 'first', node: 'n', phase: 'Pending', ready: 0 }), pod({ node: 'n' })],
    [
      'the one in an unknown phase before a running one',
      pod({ name: 'first', node: 'n', phase: 'Unknown' }),
      pod({ node: 'n' }),
    ],
    ['the one that is not ready', pod({ name: 'first', node: 'n' }), pod(settled)],
    ['the cheaper one', pod({ name: 'first', ...settled, annotations: cost('-1') }), pod(settled)],
    [
      'the one without a cost before a dear one',
      pod({ name: 'first', ...settled }),
      pod({ ...settled, annotations: cost('10') }),
    ],
    [
      'the one of lower uid where a cost makes no sense',
      pod({ name: 'first', uid: 'a', ...settled, annotations: cost('+10') }),
      pod({ ...settled, uid: 'b', annotations: cost('08') }),
    ],
    ['the one ready for a shorter time', pod({ name: 'first', node: 'n', ready: 99_000 }), pod(settled)],
    ['the one restarted more often', pod({ name: 'first', ...settled, restarts: 3 }), pod({ ...settled, restarts: 2 })],
    ['the younger', pod({ name: 'first', ...settled, created: 99_000 }), pod({ ...settled, created: 0 })],
    [
      'the one of lower uid if both are of about the same age',
      pod({ name: 'first', uid: 'a', ...settled, created: 1 }),
      pod({ ...settled, uid: 'b', created: 3 }),
    ],
  ])('%s', (_, first, second) => {
    for (const pods of [
      [first, second],
      [second, first],
    ]) {
      expect(podsToDelete(pods, [], 1, now).map(({ metadata }) => metadata.name)).toEqual(['first'])
    }
  })

  test('the one that shares its node with more pods of the same deployment', () => {
    const crowded = pod({ name: 'crowded', node: 'a', ready: 0, created: 0 })
    const alone = pod({ name: 'alone', node: 'b', ready: 99_000 })
    const other = pod({ name: 'other', node: 'a' })
    const ended = ['1', '2', '3'].map((name) => pod({ name, node: 'b', phase: 'Failed' }))
    const [first] = podsToDelete([alone, crowded], [alone, crowded, other, ...ended], 1, now)
    expect(first?.metadata.name).toBe('crowded')
  })
})

test('all of them go without any choice', () => {
  expect(podsToDelete([pod(), pod()], [], 2, now)).toHaveLength(2)
})
