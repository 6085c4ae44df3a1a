import { expect, test } from 'vitest'
import { changedTaints, parseTaints, standsInTheWay } from './changes.ts'

const before = [
  { key: 'a', value: '1', effect: 'NoSchedule' },
  { key: 'a', effect: 'NoExecute' },
]

test('a key and an effect is one taint; a key alone is all of them', () => {
  expect(changedTaints(before, parseTaints(['a:NoExecute-']), false)).toMatchObject({
    taints: [before[0]],
    done: 'untainted',
  })
  expect(changedTaints(before, parseTaints(['a-']), false).taints).toEqual([])
  expect(changedTaints(before, parseTaints(['b-']), false).missing).toEqual(['taint "b" not found'])
})

test('set beside others, or in the place of one', () => {
  const changes = parseTaints(['a=2:NoSchedule', 'b:NoSchedule'])
  expect(standsInTheWay(before, changes)).toBe(true)
  expect(standsInTheWay(before, parseTaints(['b:NoSchedule']))).toBe(false)
  expect(changedTaints(before, changes, true)).toMatchObject({
    taints: [{ key: 'a', value: '2', effect: 'NoSchedule' }, { key: 'b', effect: 'NoSchedule' }, before[1]],
    done: 'modified',
  })
})

test.each(['a=b', 'a=b:Nope', '=b:NoSchedule', 'a:Nope-'])('%s is refused', (word) => {
  expect(() => parseTaints([word])).toThrow(/invalid taint/)
})

test('one cannot come and go at once', () => {
  expect(() => parseTaints(['a=b:NoSchedule', 'a-'])).toThrow('can not both modify and remove')
})
