import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap } from './heap.ts'

test('items come out in order, whatever was put in, taken out and moved before', () => {
  const step = fc.record({ do: fc.constantFrom('push', 'remove', 'move', 'pop'), at: fc.nat(20), rank: fc.integer() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const items = Array.from({ length: 21 }, (_, id) => ({ id, rank: 0 }))
      const compare = (a: { id: number; rank: number }, b: { id: number; rank: number }) =>
        a.rank - b.rank || a.id - b.id
      const heap = new Heap(compare)
      const model = new Set<(typeof items)[number]>()
      const first = () => [...model].sort(compare)[0]
      for (const { do: what, at, rank } of steps) {
        const item = items[at] as (typeof items)[number]
        if (what === 'push' && !model.has(item)) {
          item.rank = rank
          model.add(item)
          heap.push(item)
        } else if (what === 'remove') expect(heap.remove(item)).toBe(model.delete(item))
        else if (what === 'move') {
          item.rank = rank
          heap.moved(item)
        } else if (what === 'pop') {
          const expected = first()
          expect(heap.pop()).toBe(expected)
          if (expected) model.delete(expected)
        }
        expect(heap.size).toBe(model.size)
        expect(heap.peek()).toBe(first())
      }
    }),
  )
})
