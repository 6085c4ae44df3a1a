import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ranking, Ranks } from './ranking.ts'

test('the best row is at the top, whatever comes, goes and gets another rank', () => {
  const step = fc.record({ do: fc.constantFrom('add', 'remove', 'move'), row: fc.nat(20), rank: fc.integer() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const ranks = new Ranks(8)
      ranks.grow(21)
      const ranking = new Ranking(ranks)
      const model = new Map<number, number>()
      for (const { do: what, row, rank } of steps) {
        if (what === 'remove') {
          if (model.delete(row)) ranking.remove(row)
        } else {
          if (model.has(row) !== (what === 'move')) continue
          ranks.rank[row] = rank
          if (what === 'move') ranking.moved(row)
          else ranking.add(row)
          model.set(row, rank)
        }
        expect(ranking.size).toBe(model.size)
        const best = ranking.at(0)
        expect(best === undefined ? undefined : model.get(best)).toBe(
          model.size === 0 ? undefined : Math.max(...model.values()),
        )
        const places = Array.from({ length: ranking.size }, (_, place) => ranking.at(place) as number)
        expect(places.toSorted()).toEqual([...model.keys()].toSorted())
        for (const [place, each] of places.entries()) {
          const above = places[(place - 1) >> 1] as number
          if (place > 0) expect(model.get(above)).toBeGreaterThanOrEqual(model.get(each) as number)
        }
      }
    }),
  )
})
